package dev.distillery.standalone;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

import dev.distillery.artifacts.Manifests;
import dev.distillery.diffusion.lora.SavedLora;

/** The line of Python that loads what was converted. */
final class Loading {
    private Loading() {}

    static String of(Path model) {
        String variant = Manifests.find(model)
                .flatMap(manifest -> Optional.ofNullable(manifest.about().get("variant")))
                .map(Object::toString)
                .filter(name -> !name.isEmpty())
                .map(name -> ", variant=\"" + name + "\"")
                .orElse("");
        if (Files.exists(model.resolve("model_index.json"))) {
            return "from diffusers import DiffusionPipeline; pipe = DiffusionPipeline.from_pretrained(\"" + model + "\""
                    + variant + ")";
        }
        return SavedLora.textEncodersBeside(model.resolve("unet")).isPresent() // the U-Net alone would not be all
                ? "pipe.load_lora_weights(\"" + model + "\"), into the pipeline of the model that was trained"
                : "from diffusers import UNet2DConditionModel; unet = UNet2DConditionModel.from_pretrained(\"" + model
                        + "\", subfolder=\"unet\"" + variant + ")";
    }
}
