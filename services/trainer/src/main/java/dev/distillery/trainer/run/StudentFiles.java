package dev.distillery.trainer.run;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.artifacts.Folders;
import dev.distillery.diffusion.distill.Distillation;
import dev.distillery.diffusion.lora.SavedLora;
import dev.distillery.diffusion.safetensors.SafetensorsFile;
import dev.distillery.diffusion.tensor.Ops;
import dev.distillery.diffusion.tensor.SafetensorsSource;
import dev.distillery.diffusion.tensor.SavedTensors;
import dev.distillery.diffusion.tensor.Torch;
import dev.distillery.diffusion.tensor.Weights;

/**
 * A checkpoint as a folder: the student in fp32 as a diffusers folder {@code unet/}, its average as {@code ema/} if one is
 * kept, the optimizer's moments, and {@link TrainState}. Where a LoRA learns, the folders hold it in place of the network, as diffusers
 * saves it. Nothing is rounded on the way, so a run goes on from it as if it had never stopped.
 */
final class StudentFiles {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String RAW = "unet";
    private static final String AVERAGE = "ema";
    private static final String CONFIG = "config.json";
    private static final String WEIGHTS = "diffusion_pytorch_model.safetensors";
    private static final String OPTIMIZER = "optimizer.safetensors";
    private static final String STATE = "state.json";

    private StudentFiles() {}

    /** Writes {@code folder} anew. */
    static void save(Distillation distillation, Path folder, TrainState state) throws IOException {
        Folders.delete(folder);
        saveUnet(distillation, folder.resolve(RAW), distillation.learning());
        if (distillation.ema().isPresent()) {
            saveUnet(
                    distillation,
                    folder.resolve(AVERAGE),
                    distillation.ema().get().average());
        }
        SavedTensors.write(folder.resolve(OPTIMIZER), distillation.optimizer().state());
        JSON.writeValue(folder.resolve(STATE).toFile(), state);
    }

    /** Writes what diffusers loads as a U-Net, or as a LoRA, of text encoders too. */
    private static void saveUnet(Distillation distillation, Path folder, Map<String, NDArray> weights)
            throws IOException {
        Files.createDirectories(folder);
        ObjectNode config = distillation.plan().config().json();
        JSON.writerWithDefaultPrettyPrinter().writeValue(folder.resolve(CONFIG).toFile(), config);
        if (distillation.loras().isEmpty()) {
            SavedTensors.write(folder.resolve(WEIGHTS), weights);
        } else {
            SavedLora.write(folder.resolve(SavedLora.FILE), distillation.loras(), weights);
        }
    }

    static TrainState restore(Distillation distillation, Path folder) {
        try {
            TrainState state = JSON.readValue(folder.resolve(STATE).toFile(), TrainState.class);
            readUnet(folder.resolve(RAW), distillation.learning());
            distillation.ema().ifPresent(ema -> readUnet(folder.resolve(AVERAGE), ema.average()));
            read(folder.resolve(OPTIMIZER), distillation.optimizer().state());
            distillation.resume(state.updates());
            return state;
        } catch (IOException e) {
            throw new UncheckedIOException("The checkpoint " + folder + " cannot be read", e);
        }
    }

    private static void readUnet(Path folder, Map<String, NDArray> weights) {
        if (!SavedLora.isIn(folder)) {
            read(folder.resolve(WEIGHTS), weights);
            return;
        }
        try (SavedLora saved = SavedLora.open(folder.resolve(SavedLora.FILE));
                NDManager scope = Torch.newManager()) {
            fill(weights, saved.source(scope), folder.resolve(SavedLora.FILE));
        }
    }

    private static void read(Path path, Map<String, NDArray> tensors) {
        try (SafetensorsFile file = SafetensorsFile.open(path);
                NDManager scope = Torch.newManager()) {
            fill(tensors, SafetensorsSource.of(file, scope), path);
        }
    }

    /** Overwrites the values of {@code tensors}, each of which the file must hold in the same shape. */
    private static void fill(Map<String, NDArray> tensors, Weights.Source source, Path path) {
        tensors.forEach((name, tensor) -> {
            boolean there = source.keys().contains(name);
            if (!there || !source.shape(name).equals(tensor.getShape())) {
                throw new IllegalArgumentException(path + ": '" + name + "' is "
                        + (there ? source.shape(name) : "not there") + " but should be of shape " + tensor.getShape());
            }
            try (NDArray saved = source.load(name)) {
                Ops.copy(List.of(tensor), List.of(saved));
            }
        });
    }
}
