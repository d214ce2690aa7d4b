package dev.distillery.artifacts;

/** Every key of the store; prefixes end with a slash. */
public final class Keys {
    private Keys() {}

    public static String dataset(String fingerprint) {
        return "datasets/" + fingerprint + "/";
    }

    public static String latents(String fingerprint) {
        return "latents/" + fingerprint + "/";
    }

    public static String model(String fingerprint) {
        return "models/" + fingerprint + "/";
    }

    public static String manifest(String prefix) {
        return prefix + "manifest.json";
    }

    public static String run(String run) {
        return "runs/" + run + "/";
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

    public static String stages(String run) {
        return run(run) + "stages/";
    }

    public static String stage(String run, String stage) {
        return stages(run) + stage + ".json";
    }

    public static String cancelled(String run) {
        return run(run) + "cancelled.json";
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

    public static String converted(String run, long step, String dtype) {
        return run(run) + String.format("converted/step-%08d-%s/", step, dtype);
    }

    public static String queue() {
        return "queue/";
    }

    public static String queue(String run) {
        return queue() + run + ".json";
    }

    public static String lease(String run) {
        return "leases/" + run + ".json";
    }
}
