package dev.distillery.standalone.installation;

import java.util.Locale;

import com.fasterxml.jackson.annotation.JsonValue;
import dev.distillery.events.RunEvent;
import dev.distillery.events.RunFailed;
import dev.distillery.events.RunRejected;

/** How a run stands. */
enum RunState {
    REJECTED("-"),
    INGESTING("ingest"),
    ENCODING("encode"),
    QUEUED("train"),
    TRAINING("train"),
    PAUSED("train"),
    CONVERTING("convert"),
    EVALUATING("evaluate"),
    COMPLETED("-"),
    CANCELLED("-"),
    FAILED("-");

    private final String stage;

    RunState(String stage) {
        this.stage = stage;
    }

    /**
     * As the store tells it; it does not know of failures.
     *
     * @param queued whether the run waits for a trainer, or has one
     * @param held whether a trainer has it now
     */
    static RunState of(RunObjects run, boolean queued, boolean held) {
        if (held) {
            return TRAINING;
        } else if (queued) {
            return run.isCancelled() ? CANCELLED : run.isPaused() ? PAUSED : QUEUED;
        } else if (run.isTrained()) {
            return run.isReported() ? COMPLETED : run.isConverted() ? EVALUATING : CONVERTING;
        } else if (run.isCancelled()) {
            return CANCELLED;
        } else if (run.isEncoded()) {
            return run.isPaused() ? PAUSED : QUEUED;
        }
        return run.isIngested() ? ENCODING : INGESTING;
    }

    /** With the last that was told of the run: a failure stands until something else is told. */
    RunState and(RunEvent last) {
        if (last instanceof RunRejected) {
            return this; // another request of this name, which changed nothing
        }
        return last instanceof RunFailed && this != TRAINING && this != COMPLETED ? FAILED : this;
    }

    /** Whether more may come. */
    boolean goesOn() {
        return !stage.equals("-");
    }

    /** That is being done or waited for. */
    String stage() {
        return stage;
    }

    @JsonValue
    String inWords() {
        return name().toLowerCase(Locale.ROOT);
    }
}
