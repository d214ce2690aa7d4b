package dev.distillery.converter;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

import dev.distillery.artifacts.ArtifactMissingException;
import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.Folders;
import dev.distillery.artifacts.Keys;
import dev.distillery.artifacts.LocalCopies;
import dev.distillery.artifacts.Manifest;
import dev.distillery.artifacts.Manifests;
import dev.distillery.artifacts.PrefixWriter;
import dev.distillery.converter.card.Converted;
import dev.distillery.converter.card.ModelCard;
import dev.distillery.diffusion.lora.SavedLora;
import dev.distillery.events.ModelConverted;

/** Converts checkpoints of the store into prefixes of the store, once. */
public final class StoredModels {

    private final ArtifactStore store;
    private final LocalCopies copies;
    private final ModelCard card;

    public StoredModels(ArtifactStore store, LocalCopies copies) {
        this.store = store;
        this.copies = copies;
        this.card = new ModelCard(store);
    }

    /**
     * What to convert.
     *
     * @param weights {@code raw}, or {@code ema} for their average
     * @param teacher prefix of the teacher, whose other parts make the student's U-Net a pipeline
     * @param layout for people
     * @param resolution in pixels that it was trained for
     */
    public record Source(String run, long step, String weights, String teacher, String layout, int resolution) {}

    /**
     * Converts a checkpoint into {@code prefix}; finds it done when the prefix is complete with this step or a later one.
     * That of an earlier step, of a run that was extended since, is replaced, as is one with other files; what was saved
     * before is saved again.
     *
     * @throws ArtifactMissingException when the checkpoint is absent or incomplete, or has no average
     */
    public ModelConverted convert(Source source, Options options, String prefix) {
        Optional<Manifest> there = Manifests.find(store, prefix).filter(model -> step(model) >= source.step());
        boolean later = there.filter(model -> step(model) > source.step()).isPresent();
        Options all = options.and(there.map(StoredModels::saved).orElse(List.of()));
        Manifest manifest = later || there.filter(model -> isAs(model, all)).isPresent()
                ? there.orElseThrow()
                : write(source, all, prefix);
        long bytes = manifest.files().stream()
                .filter(file -> file.name().matches("unet/.*\\.safetensors"))
                .mapToLong(Manifest.FileEntry::size)
                .sum();
        long parameters = ((Number) manifest.about().get("parameters")).longValue();
        return new ModelConverted(source.run(), step(manifest), prefix, options.dtype(), parameters, bytes);
    }

    /** Writes the card of a complete model again: more is known of it. */
    public void rewriteCard(String prefix) {
        Manifest model = Manifests.require(store, prefix);
        Map<String, Object> about = model.about();
        var writer = new PrefixWriter(store, prefix);
        card.write(
                new Converted(
                        prefix,
                        about.get("run").toString(),
                        step(model),
                        about.get("weights").toString(),
                        about.get("dtype").toString(),
                        Set.copyOf(saved(model)),
                        model.files().stream().map(Manifest.FileEntry::name).toList()),
                writer);
        writer.amend(model);
    }

    private static Converted converted(Source source, Options options, String prefix, PrefixWriter writer) {
        List<String> files =
                writer.files().stream().map(Manifest.FileEntry::name).toList();
        return new Converted(
                prefix, source.run(), source.step(), source.weights(), options.dtype(), options.save(), files);
    }

    private static long step(Manifest model) {
        return ((Number) model.about().get("step")).longValue();
    }

    private static List<String> saved(Manifest model) {
        return model.about().get("save") instanceof List<?> list
                ? list.stream().map(Object::toString).toList()
                : List.of();
    }

    private static boolean isAs(Manifest model, Options options) {
        return model.about().entrySet().containsAll(options.about().entrySet());
    }

    private Manifest write(Source source, Options options, String prefix) {
        Path checkpoint = copies.of(Keys.checkpoint(source.run(), source.step()));
        Path unet = checkpoint.resolve(source.weights().equals("ema") ? "ema" : "unet");
        if (!Files.isDirectory(unet)) {
            throw new ArtifactMissingException("The checkpoint of step " + source.step() + " of run '" + source.run()
                    + "' holds no average of the weights ('train.ema.decay' was null): convert the raw ones");
        }
        try {
            Path teacher = Files.createTempDirectory("pipeline");
            try {
                Set<String> adapted = SavedLora.components(unet);
                if (options.needsTeacher() || !adapted.isEmpty()) {
                    copies.fetch(
                            source.teacher(),
                            name -> adapted.contains(name.replaceFirst("/.*", ""))
                                    || options.needsTeacher() && !name.startsWith("unet/"),
                            teacher);
                }
                store.deletePrefix(prefix); // incomplete from here on
                var conversion = new Conversion(
                        source.run(),
                        "layout " + source.layout() + ", step " + source.step() + ", " + source.weights() + " weights",
                        unet,
                        teacher,
                        source.resolution());
                PrefixWriter writer = new PrefixWriter(store, prefix);
                return conversion.write(
                        options,
                        Map.of("run", source.run(), "step", source.step(), "weights", source.weights()),
                        writer,
                        () -> card.write(converted(source, options, prefix, writer), writer));
            } finally {
                Folders.delete(teacher);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
