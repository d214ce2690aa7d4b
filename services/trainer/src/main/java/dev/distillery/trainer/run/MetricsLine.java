package dev.distillery.trainer.run;

import java.util.LinkedHashMap;
import java.util.Map;

import dev.distillery.diffusion.distill.Losses;
import dev.distillery.trainer.run.TrainingObserver.Progress;

/** A step as a line of {@code metrics.jsonl}. */
final class MetricsLine {

    private MetricsLine() {}

    /** @param taught whether there is a teacher, to which output and features could be compared */
    static Map<String, Object> of(Progress progress, boolean taught) {
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("step", progress.step());
        line.put("epoch", progress.epoch());
        add(line, "loss_", progress.losses(), taught);
        line.put("loss", progress.losses().total());
        line.put("grad_norm", progress.gradNorm());
        line.put("lr", progress.learningRate());
        line.put("seconds", progress.seconds());
        line.put("data_wait", progress.waitedSeconds());
        line.put("images_per_second", progress.images() / progress.seconds());
        line.put("resident_bytes", progress.residentBytes());
        return line;
    }

    /** Adds the terms of losses. */
    static void add(Map<String, Object> line, String prefix, Losses losses, boolean taught) {
        line.put(prefix + "task", losses.task());
        if (taught) {
            line.put(prefix + "output", losses.output());
            line.put(prefix + "feature", losses.feature());
        }
    }

    /** JSON has no number that is not finite, so the losses of a skipped step are left out. */
    static Map<String, Object> ofSkipped(long step, int epoch, String where) {
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("step", step);
        line.put("epoch", epoch);
        line.put("skipped", where);
        return line;
    }
}
