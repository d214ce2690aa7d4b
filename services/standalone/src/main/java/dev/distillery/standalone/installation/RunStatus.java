package dev.distillery.standalone.installation;

import java.time.Instant;
import java.util.Optional;
import java.util.Set;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.distillery.events.StageProgress;
import dev.distillery.events.TrainingProgress;

/**
 * How a run stands, in short. Progress is that of the stage, by the names of Kubeflow's KEP-2779.
 *
 * @param progressPercentage 0 to 100; null when nothing is known, as is what follows
 * @param rate in units a second
 * @param lastChange of anything about the run, as ISO 8601
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
record RunStatus(
        String run,
        RunState state,
        String stage,
        Integer progressPercentage,
        Long estimatedRemainingSeconds,
        Long done,
        Long total,
        String unit,
        Double rate,
        String lastChange) {

    /** Those that tell their progress. */
    private static final Set<RunState> LIVE =
            Set.of(RunState.INGESTING, RunState.ENCODING, RunState.TRAINING, RunState.EVALUATING);

    static RunStatus of(String run, RunState state, Optional<EventTail.Last> last, Optional<Instant> stored) {
        Instant told = last.map(l -> l.event().at()).orElse(Instant.EPOCH);
        Instant change = stored.filter(at -> at.isAfter(told)).orElse(told);
        Progress progress = last.map(EventTail.Last::progress)
                .map(RunStatus::progress)
                .filter(p -> p.stage.equals(state.stage()) || state == RunState.FAILED || state == RunState.CANCELLED)
                .orElse(null);
        boolean live = progress != null && (LIVE.contains(state));
        return new RunStatus(
                run,
                state,
                progress == null ? state.stage() : progress.stage,
                state == RunState.COMPLETED
                        ? Integer.valueOf(100)
                        : progress == null ? null : Integer.valueOf(progress.percentage()),
                live && progress.secondsLeft != null ? Math.round(progress.secondsLeft) : null,
                progress == null ? null : progress.done,
                progress == null ? null : progress.total,
                progress == null ? null : progress.unit,
                live ? progress.rate : null,
                change.toString());
    }

    private record Progress(String stage, long done, long total, String unit, double rate, Double secondsLeft) {
        int percentage() {
            return total <= 0 ? 0 : (int) Math.min(100, 100 * done / total);
        }
    }

    private static Progress progress(Seen seen) {
        if (seen.event() instanceof TrainingProgress p) {
            return new Progress("train", p.step(), p.steps(), "steps", p.stepsPerSecond(), p.secondsLeft());
        }
        StageProgress p = (StageProgress) seen.event();
        return new Progress(p.stage(), p.done(), p.total(), p.unit(), p.rate(), p.secondsLeft());
    }
}
