package dev.distillery.converter.card;

import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;

import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.Manifest;
import dev.distillery.artifacts.Manifests;
import dev.distillery.artifacts.PrefixWriter;
import dev.distillery.converter.report.RunReader;
import dev.distillery.converter.report.RunRecord;

/** Writes a converted model's {@code README.md}, the samples that it shows and the teacher's licence. */
public final class ModelCard {
    private static final String README = "README.md";

    private final ArtifactStore store;
    private final CardTemplate template = new CardTemplate();

    public ModelCard(ArtifactStore store) {
        this.store = store;
    }

    /** Whether a teacher's file at the top of its folder speaks of it: it is not copied, or by this. */
    public static boolean ofTeacher(String name) {
        return name.equals(README) || isLicence(name);
    }

    private static boolean isLicence(String name) {
        return name.matches("(?i:LICEN[SC]E)[^/]*");
    }

    /**
     * Writes the card of a model whose {@code unet/config.json} is in the store already.
     *
     * @param writer of the model's prefix
     */
    public void write(Converted model, PrefixWriter writer) {
        RunRecord record = new RunReader(store, model.run())
                .read(model.prefix(), (folders, metrics) -> CardSamples.folder(model, folders, metrics))
                .upTo(model.step());
        List<String> licences = Manifests.find(store, record.teacher()).stream()
                .flatMap(teacher -> teacher.files().stream())
                .map(Manifest.FileEntry::name)
                .filter(ModelCard::isLicence)
                .toList();
        licences.forEach(name -> writer.stream(name, out -> {
            try (InputStream in = store.open(record.teacher() + name)) {
                in.transferTo(out);
            }
        }));
        Terms terms = Terms.of(teachersCard(record.teacher()), licences, Origin.of(record.text("teacher", "model")));
        List<Card.Sample> samples = CardSamples.write(record, writer);
        Card card = new CardWriter(record, model, terms, licences, samples).write();
        writer.add(README, template.fill(card).getBytes(StandardCharsets.UTF_8));
    }

    private String teachersCard(String teacher) {
        String key = teacher + README;
        return store.stat(key).isEmpty() ? "" : new String(store.read(key), StandardCharsets.UTF_8);
    }
}
