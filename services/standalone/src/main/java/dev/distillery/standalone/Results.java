package dev.distillery.standalone;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;

import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.ObjectInfo;
import dev.distillery.events.RunCompleted;
import dev.distillery.standalone.console.UserException;

/** A run's report and weights as plain files, which a browser and diffusers open. */
record Results(Path report, Path model) {

    /** Copies them from the store, each whole or not at all. */
    static Results copy(RunCompleted run, ArtifactStore store, Path to) {
        try {
            Path report = to.resolve("report.html");
            download(store, run.report(), report);
            Path model = to.resolve("model");
            for (ObjectInfo object : store.list(run.model())) {
                download(
                        store,
                        object.key(),
                        model.resolve(object.key().substring(run.model().length())));
            }
            return new Results(report, model);
        } catch (IOException e) {
            throw UserException.failed(
                    "The run is complete, but its results cannot be copied to " + to + ": " + e
                            + "\nMake room or make it writable; the same command copies them again.",
                    e);
        }
    }

    private static void download(ArtifactStore store, String key, Path to) throws IOException {
        Files.createDirectories(to.getParent());
        Path part = to.resolveSibling(to.getFileName() + ".part");
        try (InputStream in = store.open(key)) {
            Files.copy(in, part, StandardCopyOption.REPLACE_EXISTING);
        }
        Files.move(part, to, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    /** The three lines that a run ends with. */
    List<String> closingLines() {
        return List.of("Report:    " + report, "Weights:   " + weights(), "Diffusers: " + Loading.of(model));
    }

    private Path weights() {
        Path usual = model.resolve("unet/diffusion_pytorch_model.safetensors");
        return Files.exists(usual) ? usual : usual.getParent(); // of a variant, or in shards
    }
}
