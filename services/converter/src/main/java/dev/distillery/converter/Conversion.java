package dev.distillery.converter;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.channels.Channels;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

import dev.distillery.artifacts.ArtifactMissingException;
import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.Folders;
import dev.distillery.artifacts.Keys;
import dev.distillery.artifacts.LocalCopies;
import dev.distillery.artifacts.Manifest;
import dev.distillery.artifacts.Manifests;
import dev.distillery.artifacts.PrefixWriter;
import dev.distillery.diffusion.safetensors.DType;
import dev.distillery.diffusion.safetensors.SafetensorsFile;
import dev.distillery.diffusion.safetensors.SafetensorsWriter;
import dev.distillery.diffusion.safetensors.TensorInfo;
import dev.distillery.diffusion.schedule.NoiseSchedule;
import dev.distillery.diffusion.singlefile.ComfyUi;
import dev.distillery.diffusion.singlefile.SingleFile;
import dev.distillery.diffusion.unet.UNetConfig;
import dev.distillery.events.ModelConverted;
import org.jboss.logging.Logger;

/**
 * Makes of a checkpoint the folder {@code unet/} that diffusers loads. The weights stream through one buffer, from the
 * mapped checkpoint into the store, so a model of any size is converted in constant memory.
 */
public final class Conversion {

    private static final Logger LOG = Logger.getLogger(Conversion.class);
    private static final String CONFIG = "config.json";
    private static final String WEIGHTS = "diffusion_pytorch_model.safetensors";
    private static final String UNET = "unet/";

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
     * What goes with a student's U-Net.
     *
     * @param save of {@code unet}, which is always there, {@code pipeline} and {@code single-file}
     * @param teacher prefix of the teacher, whose other parts make the student's U-Net a pipeline
     * @param layout for people
     * @param resolution in pixels that it was trained for
     */
    public record Extras(Set<String> save, String teacher, String layout, int resolution) {
        private Extras and(Set<String> more) {
            Set<String> all = new TreeSet<>(save);
            all.addAll(more);
            return new Extras(all, teacher, layout, resolution);
        }
    }

    /**
     * Converts a checkpoint into {@code prefix}; finds it done when the prefix is complete with this step or a later one.
     * That of an earlier step, of a run that was extended since, is replaced.
     *
     * @param dtype {@code fp32}, {@code fp16} or {@code bf16}
     * @param extras what goes with the U-Net
     * @throws ArtifactMissingException when the checkpoint is absent or incomplete, or has no average
     */
    public ModelConverted convert(Source source, String dtype, String prefix, Extras extras) {
        DType type = type(dtype);
        Optional<Manifest> there = Manifests.find(store, prefix).filter(model -> step(model) >= source.step());
        Set<String> saved = there.map(Conversion::saved).orElse(Set.of());
        boolean later = there.filter(model -> step(model) > source.step()).isPresent();
        Manifest manifest = later || saved.containsAll(extras.save)
                ? there.orElseThrow()
                : write(source, dtype, type, prefix, extras.and(saved));
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

    private static Set<String> saved(Manifest model) {
        Object save = model.about().get("save");
        return save instanceof List<?> list
                ? list.stream().map(Object::toString).collect(Collectors.toCollection(TreeSet::new))
                : Set.of("unet");
    }

    private Manifest write(Source source, String dtype, DType type, String prefix, Extras extras) {
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
            writer.stream(UNET + WEIGHTS, out -> SafetensorsWriter.convert(weights, type, Channels.newChannel(out)));
            if (extras.save.contains("pipeline")) {
                copyOtherParts(extras.teacher, writer);
            }
            if (extras.save.contains("single-file")) {
                writeSingleFile(source, folder, type, extras, writer);
            }
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
                            "save", List.copyOf(extras.save),
                            "comfyUi", ComfyUi.recognises(UNetConfig.read(folder)),
                            "parameters", parameters));
        }
    }

    /** Beside the student, so that it is converted again only with what was asked before. */
    private void writeSingleFile(Source source, Path unet, DType type, Extras extras, PrefixWriter writer) {
        if (!ComfyUi.recognises(UNetConfig.read(unet))) {
            LOG.warnf(
                    "ComfyUI does not recognise a U-Net of this layout in a single file; diffusers reads it with the folder as"
                            + " its config: run=%s layout=%s",
                    source.run(), extras.layout);
        }
        try {
            Path parts = Files.createTempDirectory("pipeline");
            try {
                copies.fetch(extras.teacher, name -> !name.startsWith(UNET), parts);
                boolean velocity =
                        NoiseSchedule.read(parts.resolve("scheduler")).prediction()
                                == NoiseSchedule.Prediction.V_PREDICTION;
                var about = new SingleFile.About(
                        source.run(),
                        "layout " + extras.layout + ", step " + source.step() + ", " + source.weights() + " weights",
                        extras.resolution,
                        LocalDate.now(ZoneOffset.UTC).toString(),
                        velocity);
                try (var file = new SingleFile(unet, parts)) {
                    writer.stream(
                            source.run() + ".safetensors", out -> file.write(Channels.newChannel(out), type, about));
                }
            } finally {
                Folders.delete(parts);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
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
