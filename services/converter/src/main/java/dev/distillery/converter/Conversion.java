package dev.distillery.converter;

import java.nio.channels.Channels;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

import dev.distillery.artifacts.ArtifactWriter;
import dev.distillery.artifacts.Manifest;
import dev.distillery.diffusion.distill.Student;
import dev.distillery.diffusion.safetensors.PrettyJson;
import dev.distillery.diffusion.safetensors.SafetensorsFolder;
import dev.distillery.diffusion.safetensors.SavedWeights;
import dev.distillery.diffusion.schedule.NoiseSchedule;
import dev.distillery.diffusion.singlefile.ComfyUi;
import dev.distillery.diffusion.singlefile.SingleFile;
import dev.distillery.diffusion.unet.SavedUNet;
import dev.distillery.diffusion.unet.UNetConfig;
import org.jboss.logging.Logger;

/**
 * Makes of folders on this machine what other programs load, in a prefix of the store or in a folder. The weights stream
 * through one buffer, so a model of any size is converted in constant memory.
 *
 * @param name for people, and of the single file
 * @param description for people
 * @param unet folder of the U-Net
 * @param teacher folder with the other parts of a pipeline; null if the options need none
 * @param resolution in pixels that it was trained for
 */
public record Conversion(String name, String description, Path unet, Path teacher, int resolution) {
    private static final Logger LOG = Logger.getLogger(Conversion.class);

    /**
     * Writes everything and completes it.
     *
     * @param about for the manifest, beside what is told by the options
     * @throws IllegalArgumentException if the weights are not those of the config, or the type cannot hold one
     */
    public Manifest write(Options options, Map<String, Object> about, ArtifactWriter out) {
        return write(options, about, out, () -> {});
    }

    /** @param last writes what tells of the other files */
    Manifest write(Options options, Map<String, Object> about, ArtifactWriter out, Runnable last) {
        UNetConfig config = UNetConfig.read(unet);
        boolean comfyUi = ComfyUi.recognises(config);
        out.add("unet/config.json", PrettyJson.bytes(SavedUNet.config(config)));
        try (SafetensorsFolder weights = SafetensorsFolder.open(unet)) {
            List<String> keys = keys(config, weights);
            PipelineParts.write(
                    new SavedWeights(weights, keys, "diffusion_pytorch_model", options.format()), "unet", out);
        }
        if (options.saves(Options.PIPELINE)) {
            new PipelineParts(teacher).write(options.format(), out);
        }
        if (options.saves(Options.SINGLE_FILE)) {
            if (!comfyUi) {
                LOG.warnf(
                        "ComfyUI does not recognise a U-Net of this layout in a single file; diffusers reads it with the folder"
                                + " as its config: name=%s description=%s",
                        name, description);
            }
            writeSingleFile(options, out);
        }
        last.run();
        Map<String, Object> all = new TreeMap<>(about);
        all.putAll(options.about());
        all.put("comfyUi", comfyUi);
        all.put("parameters", Student.parameterCount(config));
        return out.complete("model", all);
    }

    /** In diffusers' order. */
    private List<String> keys(UNetConfig config, SafetensorsFolder weights) {
        List<String> keys = SavedUNet.keys(config);
        var missing = new TreeSet<>(keys);
        missing.removeAll(weights.tensors().keySet());
        var unexpected = new TreeSet<>(weights.tensors().keySet());
        keys.forEach(unexpected::remove);
        if (!missing.isEmpty() || !unexpected.isEmpty()) {
            throw new IllegalArgumentException(unet + ": the weights are not those of config.json: " + missing.size()
                    + " are missing, " + unexpected.size() + " are unexpected, such as "
                    + (missing.isEmpty() ? unexpected : missing).first());
        }
        return keys;
    }

    private void writeSingleFile(Options options, ArtifactWriter out) {
        boolean velocity =
                NoiseSchedule.read(teacher.resolve("scheduler")).prediction() == NoiseSchedule.Prediction.V_PREDICTION;
        var about = new SingleFile.About(
                name, description, resolution, LocalDate.now(ZoneOffset.UTC).toString(), velocity);
        try (var file = new SingleFile(unet, teacher)) {
            out.stream(
                    name + ".safetensors",
                    to -> file.write(Channels.newChannel(to), options.format().type(), about));
        }
    }
}
