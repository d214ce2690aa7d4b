package dev.distillery.standalone.console;

import java.util.Locale;
import java.util.function.LongSupplier;

import dev.distillery.events.CheckpointSaved;
import dev.distillery.events.DatasetEncoded;
import dev.distillery.events.DatasetIngested;
import dev.distillery.events.EvaluationFailed;
import dev.distillery.events.ModelConverted;
import dev.distillery.events.ModelEvaluated;
import dev.distillery.events.RunAccepted;
import dev.distillery.events.RunEvent;
import dev.distillery.events.RunExtended;
import dev.distillery.events.RunPaused;
import dev.distillery.events.RunResumed;
import dev.distillery.events.SamplesRendered;
import dev.distillery.events.StageProgress;
import dev.distillery.events.TrainingCompleted;
import dev.distillery.events.TrainingProgress;

/** Shows a run's events: a bar for what is going on, a line for what is done. */
public final class Progress {
    private static final int BAR = 20;
    private static final long BETWEEN_PLAIN_LINES = 5_000_000_000L;

    private final Terminal terminal;
    private final LongSupplier nanoTime;
    private final LongSupplier residentBytes;
    private final long start;
    private String lastStage = "";
    private long lastStatus;
    private long peakBytes;

    /** Of services in this process, whose memory is shown. */
    public Progress(Terminal terminal, LongSupplier nanoTime) {
        this(terminal, nanoTime, ResidentMemory::bytes);
    }

    private Progress(Terminal terminal, LongSupplier nanoTime, LongSupplier residentBytes) {
        this.terminal = terminal;
        this.nanoTime = nanoTime;
        this.residentBytes = residentBytes;
        start = nanoTime.getAsLong();
    }

    /** Of services elsewhere: no memory is shown but what they report. */
    public static Progress ofServicesElsewhere(Terminal terminal, LongSupplier nanoTime) {
        return new Progress(terminal, nanoTime, () -> 0);
    }

    /** The largest resident memory that was reported or seen. */
    public long peakBytes() {
        return peakBytes;
    }

    public void show(RunEvent event) {
        if (event instanceof StageProgress p) {
            status(p.stage(), bar(p.stage(), p.done(), p.total(), p.unit(), p.rate(), p.secondsLeft()) + memory());
        } else if (event instanceof TrainingProgress p) {
            status("train", training(p));
        } else {
            String line = line(event);
            if (line != null) {
                terminal.line(line);
            }
        }
    }

    /** Null for what the closing lines say. */
    private String line(RunEvent event) {
        if (event instanceof RunAccepted e) {
            return done("accept", "run " + e.run());
        } else if (event instanceof DatasetIngested e) {
            String skipped = e.skipped() == 0 ? "" : ", " + e.skipped() + " skipped (the report lists them)";
            return done("ingest", e.pairs() + " pairs in " + shards(e.shards()) + skipped + ", " + time(e.seconds()));
        } else if (event instanceof DatasetEncoded e) {
            return done("encode", e.pairs() + " pairs in " + shards(e.shards()));
        } else if (event instanceof CheckpointSaved e) {
            return done("train", "checkpoint of step " + e.step());
        } else if (event instanceof SamplesRendered e) {
            return done("train", e.keys().size() + " samples of epoch " + e.epoch());
        } else if (event instanceof TrainingCompleted e) {
            return done("train", e.step() + " steps, " + time(e.seconds()));
        } else if (event instanceof ModelConverted e) {
            return done("convert", format("%,d parameters, %s, %s", e.parameters(), e.dtype(), megabytes(e.bytes())));
        } else if (event instanceof ModelEvaluated e) {
            return done("score", scores(e));
        } else if (event instanceof EvaluationFailed e) {
            return done("score", "not scored: " + e.reason());
        } else if (event instanceof RunPaused e) {
            return done("train", e.step() == null ? "paused before it began" : "paused after step " + e.step());
        } else if (event instanceof RunResumed) {
            return done("train", "resumed");
        } else if (event instanceof RunExtended e) {
            return done("train", "extended to " + (e.steps() == null ? e.epochs() + " epochs" : e.steps() + " steps"));
        }
        return null;
    }

    private static String scores(ModelEvaluated e) {
        var text = new StringBuilder(e.images() + " images");
        add(text, "output error", e.outputError());
        add(text, "feature error", e.featureError());
        add(text, "CLIP", e.clip());
        add(text, "FID", e.fid());
        add(text, "IS", e.is());
        return text.toString();
    }

    private static void add(StringBuilder text, String name, Double score) {
        if (score != null) {
            text.append(format(", %s %.4g", name, score));
        }
    }

    private String training(TrainingProgress p) {
        peakBytes = Math.max(peakBytes, p.residentBytes());
        TrainingProgress.Losses l = p.losses();
        return bar("train", p.step(), p.steps(), "steps", p.stepsPerSecond(), p.secondsLeft())
                + (l.output() == 0 && l.feature() == 0
                        ? format("  loss %.4f", l.total())
                        : format(
                                "  loss %.3f = task %.3f + output %.4f + feature %.3f",
                                l.total(), l.task(), l.output(), l.feature()))
                + "  " + megabytes(p.residentBytes());
    }

    private String memory() {
        long bytes = residentBytes.getAsLong();
        peakBytes = Math.max(peakBytes, bytes);
        return bytes == 0 ? "" : "  " + megabytes(bytes);
    }

    /** On a terminal always; else when the stage is new or some seconds have passed. */
    private void status(String stage, String text) {
        long now = nanoTime.getAsLong();
        if (terminal.live() || !stage.equals(lastStage) || now - lastStatus >= BETWEEN_PLAIN_LINES) {
            terminal.status(text);
            lastStage = stage;
            lastStatus = now;
        }
    }

    private String done(String stage, String text) {
        return format("%6s  %-9s%s", time((nanoTime.getAsLong() - start) / 1e9), stage, text);
    }

    private String bar(String stage, long done, long total, String unit, double rate, Double secondsLeft) {
        int filled = total <= 0 ? 0 : (int) Math.min(BAR, BAR * done / total);
        return format(
                "%6s  %-9s[%s%s] %d/%d %s  %s/s%s",
                time((nanoTime.getAsLong() - start) / 1e9),
                stage,
                "#".repeat(filled),
                "-".repeat(BAR - filled),
                done,
                total,
                unit,
                rate < 10 ? format("%.2f", rate) : format("%.0f", rate),
                secondsLeft == null ? "" : "  " + time(secondsLeft) + " left");
    }

    private static String shards(int shards) {
        return shards + (shards == 1 ? " shard" : " shards");
    }

    /** {@code 1:05}, or {@code 1:00:05} from an hour on. */
    public static String time(double seconds) {
        long s = Math.round(seconds);
        return s < 3600 ? format("%d:%02d", s / 60, s % 60) : format("%d:%02d:%02d", s / 3600, s / 60 % 60, s % 60);
    }

    public static String megabytes(long bytes) {
        return bytes < 1_000_000_000 ? format("%.1f MB", bytes / 1e6) : format("%.2f GB", bytes / 1e9);
    }

    private static String format(String pattern, Object... values) {
        return String.format(Locale.ROOT, pattern, values);
    }
}
