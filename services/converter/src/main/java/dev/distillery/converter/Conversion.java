package dev.distillery.converter;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

import dev.distillery.artifacts.ArtifactMissingException;
import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.Keys;
import dev.distillery.artifacts.LocalCopies;
import dev.distillery.artifacts.Manifest;
import dev.distillery.artifacts.Manifests;
import dev.distillery.artifacts.PrefixWriter;
import dev.distillery.diffusion.safetensors.DType;
import dev.distillery.diffusion.safetensors.Floats;
import dev.distillery.diffusion.safetensors.SafetensorsFile;
import dev.distillery.diffusion.safetensors.SafetensorsWriter;
import dev.distillery.diffusion.safetensors.TensorInfo;
import dev.distillery.events.ModelConverted;

/**
 * Makes of a checkpoint the folder {@code unet/} that diffusers loads. The weights stream through one buffer, from the
 * mapped checkpoint into the store, so a model of any size is converted in constant memory.
 */
public final class Conversion {

    private static final String CONFIG = "config.json";
    private static final String WEIGHTS = "diffusion_pytorch_model.safetensors";
    private static final String UNET = "unet/";
    private static final float FP16_OVERFLOW = 65520f; // rounds to infinity

    private final ArtifactStore store;
    private final LocalCopies copies;

    public Conversion(ArtifactStore store, LocalCopies copies) {
        this.store = store;
        this.copies = copies;
    }

    /**
     * What to convert.
     *
     * @param weights {@code raw}, or {@code ema} for their average
     */
    public record Source(String run, long step, String weights) {
        /** The folder of the weights in a checkpoint. */
        private String folder() {
            return switch (weights) {
                case "raw" -> UNET;
                case "ema" -> "ema/";
                default ->
                    throw new IllegalArgumentException(
                            "'convert.weights' must be one of raw, ema but was '" + weights + "'");
            };
        }
    }

    /**
     * Converts a checkpoint into {@code prefix}; finds it done when the prefix is complete with this step or a later one.
     * That of an earlier step, of a run that was extended since, is replaced.
     *
     * @param dtype {@code fp32}, {@code fp16} or {@code bf16}
     * @param pipelineOf prefix of the teacher whose other parts go with the student, so that the prefix is a whole pipeline
     * @throws ArtifactMissingException when the checkpoint is absent or incomplete, or has no average
     */
    public ModelConverted convert(Source source, String dtype, String prefix, Optional<String> pipelineOf) {
        DType type = type(dtype);
        Optional<Manifest> there = Manifests.find(store, prefix).filter(model -> step(model) >= source.step());
        Manifest manifest = there.isPresent() ? there.get() : write(source, dtype, type, prefix, pipelineOf);
        long bytes = manifest.files().stream()
                .filter(file -> file.name().equals(UNET + WEIGHTS))
                .mapToLong(Manifest.FileEntry::size)
                .sum();
        long parameters = ((Number) manifest.about().get("parameters")).longValue();
        return new ModelConverted(source.run(), step(manifest), prefix, dtype, parameters, bytes);
    }

    private static long step(Manifest model) {
        return ((Number) model.about().get("step")).longValue();
    }

    private Manifest write(Source source, String dtype, DType type, String prefix, Optional<String> pipelineOf) {
        Path checkpoint = copies.of(Keys.checkpoint(source.run(), source.step()));
        Path folder = checkpoint.resolve(source.folder());
        if (!Files.isDirectory(folder)) {
            throw new ArtifactMissingException("The checkpoint of step " + source.step() + " of run '" + source.run()
                    + "' holds no average of the weights ('train.ema.decay' was null): convert the raw ones");
        }
        try (SafetensorsFile weights = SafetensorsFile.open(folder.resolve(WEIGHTS))) {
            store.delete(Keys.manifest(prefix)); // incomplete from here on
            PrefixWriter writer = new PrefixWriter(store, prefix);
            writer.add(UNET + CONFIG, folder.resolve(CONFIG));
            writer.stream(UNET + WEIGHTS, out -> write(weights, type, out));
            pipelineOf.ifPresent(teacher -> copyOtherParts(teacher, writer));
            long parameters = weights.tensors().values().stream()
                    .mapToLong(TensorInfo::elements)
                    .sum();
            return writer.complete(
                    "model",
                    Map.of(
                            "run", source.run(),
                            "step", source.step(),
                            "weights", source.weights(),
                            "dtype", dtype,
                            "parameters", parameters));
        }
    }

    private void copyOtherParts(String teacher, PrefixWriter writer) {
        Manifest parts = Manifests.find(store, teacher)
                .orElseThrow(() -> new ArtifactMissingException(teacher + " is not complete in the store"));
        parts.files().stream()
                .map(Manifest.FileEntry::name)
                .filter(name -> !name.startsWith(UNET))
                .forEach(name -> writer.stream(name, out -> {
                    try (InputStream in = store.open(teacher + name)) {
                        in.transferTo(out);
                    }
                }));
    }

    private static void write(SafetensorsFile weights, DType type, OutputStream out) throws IOException {
        SafetensorsWriter.Plan plan = new SafetensorsWriter.Plan();
        weights.tensors().values().forEach(tensor -> plan.add(tensor.name(), type, tensor.shape()));
        try (SafetensorsWriter writer = new SafetensorsWriter(Channels.newChannel(out), plan)) {
            for (TensorInfo tensor : weights.tensors().values()) {
                if (type == DType.F16) {
                    ensureFits(tensor, weights.data(tensor.name()));
                }
                writer.convert(tensor.name(), tensor.dtype(), weights.data(tensor.name()));
            }
        }
    }

    /** An infinite weight would be found only when the model draws black images. */
    private static void ensureFits(TensorInfo tensor, ByteBuffer data) {
        while (data.hasRemaining()) {
            float value = Floats.get(data, tensor.dtype());
            if (Math.abs(value) >= FP16_OVERFLOW) {
                throw new IllegalArgumentException("Tensor '" + tensor.name() + "' holds " + value
                        + ", which fp16 cannot hold: convert to bf16 or fp32 ('convert.dtype')");
            }
        }
    }

    private static DType type(String dtype) {
        return switch (dtype) {
            case "fp32" -> DType.F32;
            case "fp16" -> DType.F16;
            case "bf16" -> DType.BF16;
            default ->
                throw new IllegalArgumentException(
                        "'convert.dtype' must be one of fp32, fp16, bf16 but was '" + dtype + "'");
        };
    }
}
