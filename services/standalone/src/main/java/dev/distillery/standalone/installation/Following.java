package dev.distillery.standalone.installation;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

import com.fasterxml.jackson.core.JsonProcessingException;
import dev.distillery.events.RunCompleted;
import dev.distillery.events.RunEvent;
import dev.distillery.standalone.console.OutputOption;
import dev.distillery.standalone.console.Progress;
import dev.distillery.standalone.console.Terminal;

/** Shows a run as it goes, for people as bars and lines, for programs as one document for each event; ends with the run. */
final class Following implements RunFollower.Listener {
    private static final String DETAILS = "the log of the service that does this stage";

    private final String run;
    private final String bucket;
    private final Terminal terminal;
    private final OutputOption output;
    private Instant now;
    private Progress progress;

    Following(String run, String bucket, Terminal terminal, OutputOption output) {
        this.run = run;
        this.bucket = bucket;
        this.terminal = terminal;
        this.output = output;
    }

    /**
     * Shows what happened, then what happens, to the run's end; returns the exit code of a completed run.
     *
     * @throws dev.distillery.standalone.console.UserException for any other end
     */
    int show(RunFollower follower, boolean fromTheBeginning) {
        List<Seen> past = fromTheBeginning ? follower.past(this) : List.of();
        if (fromTheBeginning && past.isEmpty() && output.forPeople()) {
            terminal.line("Nothing is told of a run '" + run + "' yet; waiting for it.");
        }
        past.forEach(this::seen);
        Optional<RunEvent> end = past.isEmpty()
                ? Optional.empty()
                : Optional.of(past.get(past.size() - 1).event()).filter(Outcome::ends);
        RunEvent last =
                end.orElseGet(() -> follower.follow(this, () -> false, () -> {}).orElseThrow());
        terminal.clearStatus();
        if (end.isEmpty() && !output.forPeople()) {
            document(new Seen(last, Instant.now()));
        }
        RunCompleted completed = Outcome.completed(last, DETAILS, "");
        if (output.forPeople()) {
            terminal.line("Report:    s3://" + bucket + "/" + completed.report());
            terminal.line("Weights:   s3://" + bucket + "/" + completed.model());
            terminal.line("Fetch it:  distillery fetch " + run + " --out " + run);
        }
        return 0;
    }

    @Override
    public void seen(Seen event) {
        now = event.at();
        if (progress == null) { // its clock begins with the run's first event
            progress = Progress.ofServicesElsewhere(terminal, () -> now.toEpochMilli() * 1_000_000);
        }
        if (output.forPeople()) {
            progress.show(event.event());
        } else {
            document(event);
        }
    }

    private void document(Seen event) {
        try {
            terminal.line(
                    output.next(Map.of("event", event.name(), "time", event.at().toString(), "data", event.event())));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void lost() {
        notice("The broker does not answer; trying on.");
    }

    @Override
    public void back() {
        notice("The broker answers again; going on where it was.");
    }

    private void notice(String text) {
        if (output.forPeople()) {
            terminal.line(text);
        }
    }
}
