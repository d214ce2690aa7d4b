package dev.distillery.standalone;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.Predicate;

import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.Folders;
import dev.distillery.artifacts.LocalCopies;
import dev.distillery.artifacts.Manifest;
import dev.distillery.artifacts.Manifests;
import dev.distillery.diffusion.unet.UNetConfig;
import dev.distillery.standalone.console.Arguments;
import dev.distillery.standalone.console.UserException;

/**
 * The weights of a checkpoint on this machine, checked against its manifest if it has one.
 *
 * @param unet folder of the U-Net
 * @param about what the manifest tells: run, step
 */
record CheckpointFolder(Path unet, Map<String, Object> about) {
    private static final String S3 = "s3://";
    /** Of SDXL's, SD v1's and v2's auto-encoders. */
    private static final int PIXELS_PER_LATENT = 8;

    /**
     * @param weights {@code raw} or {@code ema}
     * @param buckets the stores that {@code s3://} may name
     * @param scratch where those of a store are copied to
     * @throws UserException saying what it lacks
     */
    static CheckpointFolder of(
            String checkpoint, String weights, Optional<Function<String, ArtifactStore>> buckets, Path scratch) {
        String part = weights.equals("ema") ? "ema/" : "unet/";
        Predicate<String> wanted = name -> name.startsWith(part) || name.equals("config.json");
        if (checkpoint.startsWith(S3)) {
            return ofStore(
                    checkpoint,
                    part,
                    wanted,
                    buckets.orElseThrow(
                            () -> UserException.badInput(checkpoint + " is in a store; set " + StoreSettings.NAMES)),
                    scratch);
        }
        Path folder = Path.of(checkpoint);
        if (!Files.isDirectory(folder)) {
            throw UserException.badInput("There is no folder " + folder);
        }
        boolean checkpointOfRun = Files.exists(folder.resolve("state.json"));
        Map<String, Object> about = Manifests.find(folder).isPresent() || checkpointOfRun
                ? told(checkpoint, Folders.check(folder, wanted), wanted)
                : Map.of();
        return of(checkpoint, folder, part, about);
    }

    private static CheckpointFolder ofStore(
            String checkpoint,
            String part,
            Predicate<String> wanted,
            Function<String, ArtifactStore> buckets,
            Path scratch) {
        String[] names = checkpoint.substring(S3.length()).split("/", 2);
        if (names.length < 2 || names[1].isBlank()) {
            throw UserException.badInput(checkpoint + " must be s3://bucket/prefix");
        }
        ArtifactStore store = buckets.apply(names[0]);
        String prefix = names[1].replaceFirst("/*$", "/");
        new LocalCopies(store, scratch).fetch(prefix, wanted, scratch);
        Manifest manifest = Manifests.find(store, prefix).orElseThrow();
        return of(checkpoint, scratch, part, told(checkpoint, manifest, wanted));
    }

    private static CheckpointFolder of(String checkpoint, Path folder, String part, Map<String, Object> about) {
        if (part.equals("ema/")) {
            Path average = folder.resolve(part);
            Arguments.file(average.resolve("config.json"), checkpoint + " holds no average of the weights");
            return new CheckpointFolder(average, with(about, "ema"));
        }
        return new CheckpointFolder(Arguments.unet(folder, "CHECKPOINT"), with(about, "raw"));
    }

    /** Which run and step it is of. */
    private static Map<String, Object> told(String checkpoint, Manifest manifest, Predicate<String> wanted) {
        if (manifest.files().stream().noneMatch(file -> wanted.test(file.name()))) {
            throw UserException.badInput(
                    checkpoint + " has no such weights: its manifest.json, of a '" + manifest.kind()
                            + "', does not name them (an average is there only if 'train.ema.decay' was given)");
        }
        Map<String, Object> told = new TreeMap<>(manifest.about());
        told.keySet().retainAll(Set.of("run", "step"));
        return told;
    }

    private static Map<String, Object> with(Map<String, Object> about, String weights) {
        Map<String, Object> all = new TreeMap<>(about);
        all.put("weights", weights);
        return all;
    }

    String description() {
        return about.toString().replaceAll("[{}]", "").replace('=', ' ');
    }

    /** That its config tells, in pixels. */
    int resolution() {
        return UNetConfig.read(unet).json().path("sample_size").asInt(0) * PIXELS_PER_LATENT;
    }
}
