package dev.distillery.standalone.installation;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Set;

import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.Keys;
import dev.distillery.artifacts.Manifests;
import dev.distillery.artifacts.ObjectInfo;
import dev.distillery.diffusion.lora.SavedLora;
import dev.distillery.standalone.console.UserException;

/** What a run has left, as files: {@code report.html}, {@code model/...}, {@code samples/...}. */
final class Results {
    private final ArtifactStore store;
    private final String run;

    Results(ArtifactStore store, String run) {
        this.store = store;
        this.run = run;
    }

    /** A part of the results. */
    enum What {
        UNET,
        PIPELINE,
        SINGLE_FILE,
        LORA,
        SAMPLES,
        REPORT;

        String inWords() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }

        /** Of the files of the run's model. */
        boolean holds(String file, String run) {
            boolean lora = file.equals(SavedLora.FILE) || file.equals(SavedLora.kohyaFile(run));
            boolean single = !lora && !file.contains("/") && file.endsWith(".safetensors");
            return switch (this) {
                case UNET -> file.startsWith("unet/");
                case PIPELINE -> !single && !lora;
                case SINGLE_FILE -> single;
                case LORA -> lora;
                case SAMPLES, REPORT -> false;
            };
        }
    }

    /**
     * @param wanted empty: whatever there is
     * @throws UserException if something that is wanted is not there
     */
    List<FetchedFile> files(Set<What> wanted) {
        Set<What> what = wanted.isEmpty() ? Set.of(What.values()) : wanted;
        List<FetchedFile> files = new ArrayList<>();
        if (!Collections.disjoint(what, Set.of(What.UNET, What.PIPELINE, What.SINGLE_FILE, What.LORA))) {
            files.addAll(model(what));
        }
        if (what.contains(What.REPORT)) {
            objects(Keys.report(run)).forEach(files::add);
        }
        if (what.contains(What.SAMPLES)) {
            objects(Keys.samples(run)).forEach(files::add);
        }
        wanted.forEach(one -> requireSome(one, files));
        if (files.isEmpty()) {
            throw UserException.failed("Run '" + run + "' has no results yet: see 'distillery runs " + run + "'", null);
        }
        return files;
    }

    private List<FetchedFile> model(Set<What> what) {
        String prefix = Keys.runModel(run);
        return Manifests.find(store, prefix).stream()
                .flatMap(model -> model.files().stream()
                        .filter(file -> what.stream().anyMatch(one -> one.holds(file.name(), run))
                                || what.contains(What.UNET) && Manifests.isOfTrainedTextEncoder(model, file.name())))
                .map(file -> FetchedFile.of(prefix, "model/", file))
                .toList();
    }

    private List<FetchedFile> objects(String prefix) {
        return store.list(prefix).stream().map(this::file).toList();
    }

    private FetchedFile file(ObjectInfo object) {
        return FetchedFile.of(object, object.key().substring(Keys.run(run).length()));
    }

    private void requireSome(What what, List<FetchedFile> files) {
        boolean there =
                switch (what) {
                    case REPORT -> files.stream().anyMatch(file -> file.key().equals(Keys.report(run)));
                    case SAMPLES -> files.stream().anyMatch(file -> file.key().startsWith(Keys.samples(run)));
                    case PIPELINE -> files.stream().anyMatch(file -> file.name().equals("model/model_index.json"));
                    default ->
                        files.stream()
                                .anyMatch(file -> file.name().startsWith("model/")
                                        && what.holds(file.name().substring("model/".length()), run));
                };
        if (!there) {
            throw UserException.failed(
                    "Run '" + run + "' has no " + what.inWords()
                            + ": it is not converted yet, or its request does not ask for it (convert.save, samples.prompts);"
                            + " see 'distillery runs " + run + "'",
                    null);
        }
    }
}
