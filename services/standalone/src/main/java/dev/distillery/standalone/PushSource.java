package dev.distillery.standalone;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

import dev.distillery.artifacts.ArtifactMissingException;
import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.Manifest;
import dev.distillery.artifacts.Manifests;
import dev.distillery.artifacts.StoreException;
import dev.distillery.hub.LocalFolder;
import dev.distillery.hub.UploadFiles;
import dev.distillery.standalone.console.UserException;

/**
 * What {@code distillery push} sends: a folder, a run's model in a home folder, or one in a store.
 *
 * @param name for people
 */
record PushSource(String name, UploadFiles files) {
    private static final String MODEL = "model";
    private static final String ROOT_WEIGHTS = "[^/]+\\.safetensors";
    private static final List<String> CONFIGS = List.of("model_index.json", "unet/config.json", "config.json");

    /**
     * @param source a folder, a run's name, or {@code s3://bucket/runs/NAME/model}
     * @throws UserException when there is no model
     */
    static PushSource of(String source, Path home, Map<String, String> env) {
        PushSource found = source.startsWith("s3://") ? inStore(source, env) : local(source, home);
        try {
            if (found.files.files().stream().map(UploadFiles.Entry::name).noneMatch(PushSource::ofModel)) {
                throw UserException.badInput(found.name + " has no model: none of " + String.join(", ", CONFIGS)
                        + " is in it, nor a single file of weights");
            }
        } catch (IOException e) {
            throw UserException.badInput(found.name + " cannot be read: " + e);
        }
        return found;
    }

    private static boolean ofModel(String file) {
        return CONFIGS.contains(file) || file.matches(ROOT_WEIGHTS);
    }

    private static PushSource local(String source, Path home) {
        Path run = home.resolve("runs").resolve(path(source));
        Path folder = Files.isDirectory(path(source)) ? path(source) : run;
        if (!Files.isDirectory(folder)) {
            throw UserException.badInput("There is no folder " + source + ", and no run of this name in " + home
                    + " (another one is named with --home)");
        }
        Path inner = folder.resolve(MODEL);
        Path model = Files.isDirectory(inner) ? inner : folder;
        return new PushSource(model.toString(), new LocalFolder(model));
    }

    private static Path path(String text) {
        try {
            return Path.of(text);
        } catch (InvalidPathException e) {
            throw UserException.badInput(text + " is no name of a folder or a run");
        }
    }

    private static PushSource inStore(String source, Map<String, String> env) {
        String[] parts = source.substring("s3://".length()).split("/", 2);
        String prefix = parts.length < 2 ? "" : parts[1].replaceFirst("/*$", "") + "/";
        ArtifactStore store = StoreSettings.buckets(env)
                .orElseThrow(() ->
                        UserException.badInput(source + " is in a store: say which one with " + StoreSettings.NAMES))
                .apply(parts[0]);
        try {
            for (String model : List.of(prefix, prefix + MODEL + "/")) {
                Optional<Manifest> manifest = Manifests.find(store, model);
                if (manifest.isPresent()) {
                    return new PushSource(
                            "s3://" + parts[0] + "/" + model, new StoreFolder(store, model, manifest.get()));
                }
            }
        } catch (ArtifactMissingException e) {
            throw UserException.badInput("There is no bucket '" + parts[0] + "'");
        } catch (StoreException | IllegalArgumentException e) {
            throw UserException.badInput(source + " cannot be read: " + e.getMessage());
        }
        throw UserException.badInput(
                source + " has no manifest.json: there is no model, or it has not been converted completely");
    }
}
