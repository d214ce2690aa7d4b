package dev.distillery.artifacts;

import java.util.regex.Pattern;

/** Every key of the store; prefixes end with a slash. */
public final class Keys {
    private static final Pattern SEGMENT = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,126}");

    private Keys() {}

    /** A name from a request becomes part of a key only if it cannot climb or nest. */
    private static String segment(String name) {
        if (name == null || !SEGMENT.matcher(name).matches()) {
            String begin = name == null || name.length() <= 127 ? name : name.substring(0, 127) + "...";
            throw new IllegalArgumentException(
                    "'" + begin
                            + "' cannot be part of a key: at most 127 letters, digits, '.', '_' and '-', a letter or digit first");
        }
        return name;
    }

    public static String dataset(String fingerprint) {
        return "datasets/" + segment(fingerprint) + "/";
    }

    public static String latents(String fingerprint) {
        return "latents/" + segment(fingerprint) + "/";
    }

    public static String model(String fingerprint) {
        return "models/" + segment(fingerprint) + "/";
    }

    /** Pictures of a subject's class, drawn by a model: {@code classes/<fp>/00000.png}. */
    public static String classPictures(String fingerprint) {
        return "classes/" + segment(fingerprint) + "/";
    }

    /** A file of the shard {@code index} below a data set's or latents' prefix: {@code shards/00000.tar}. */
    public static String shard(String prefix, int index, String extension) {
        return prefix + shardName(index, extension);
    }

    /** The name of a shard's file relative to its prefix. */
    public static String shardName(int index, String extension) {
        return String.format("shards/%05d.%s", index, extension);
    }

    public static String manifest(String prefix) {
        return prefix + "manifest.json";
    }

    public static String run(String run) {
        return "runs/" + segment(run) + "/";
    }

    public static String request(String run) {
        return run(run) + "request.json";
    }

    public static String metrics(String run) {
        return run(run) + "metrics.jsonl";
    }

    public static String report(String run) {
        return run(run) + "report.html";
    }

    public static String heldOut(String run) {
        return run(run) + "held-out.json";
    }

    public static String stages(String run) {
        return run(run) + "stages/";
    }

    public static String stage(String run, String stage) {
        return stages(run) + segment(stage) + ".json";
    }

    public static String cancelled(String run) {
        return run(run) + "cancelled.json";
    }

    public static String paused(String run) {
        return run(run) + "paused.json";
    }

    /** How long the run is after it was extended, as a merge patch of its request. */
    public static String extended(String run) {
        return run(run) + "extended.json";
    }

    public static String checkpoints(String run) {
        return run(run) + "checkpoints/";
    }

    public static String checkpoint(String run, long step) {
        return checkpoints(run) + String.format("step-%08d/", step);
    }

    public static String samples(String run) {
        return run(run) + "samples/";
    }

    public static String runModel(String run) {
        return run(run) + "model/";
    }

    public static String converted(String run, long step, String variant) {
        return run(run) + String.format("converted/step-%08d-%s/", step, segment(variant));
    }

    public static String evaluations(String run) {
        return run(run) + "evaluation/";
    }

    /** The scores of an evaluation. */
    public static String evaluation(String run, String name) {
        return evaluations(run) + segment(name) + ".json";
    }

    /** Its pictures side by side. */
    public static String evaluationGrid(String run, String name) {
        return evaluationParts(run, name) + "grid.png";
    }

    /** What an evaluation is made of: its plan and its parts. */
    public static String evaluationParts(String run, String name) {
        return evaluations(run) + segment(name) + "/";
    }

    public static String queue() {
        return "queue/";
    }

    public static String queue(String run) {
        return queue() + segment(run) + ".json";
    }

    public static String lease(String run) {
        return "leases/" + segment(run) + ".json";
    }
}
