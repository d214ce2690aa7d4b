package dev.distillery.standalone;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.converter.report.Comparison;
import dev.distillery.events.RunEvent;
import dev.distillery.events.Topic;
import dev.distillery.events.TrainRequest;
import dev.distillery.events.messaging.EventPublisher;
import dev.distillery.standalone.console.Failures;
import dev.distillery.standalone.console.Progress;
import dev.distillery.standalone.console.Terminal;
import dev.distillery.standalone.console.UserException;
import dev.distillery.standalone.installation.Outcome;
import dev.distillery.standalone.installation.RunFollower;
import io.quarkus.runtime.QuarkusApplication;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/** Publishes each request as any user would, follows its run to the end, and brings the results home. */
final class RunApplication implements QuarkusApplication {
    private final EventPublisher publisher;
    private final ArtifactStore store;
    private final String bootstrapServers;
    private final String prefix;

    RunApplication(
            EventPublisher publisher,
            ArtifactStore store,
            @ConfigProperty(name = "kafka.bootstrap.servers") String bootstrapServers,
            @ConfigProperty(name = "distillery.topics.prefix", defaultValue = Topic.DEFAULT_PREFIX) String prefix) {
        this.publisher = publisher;
        this.store = store;
        this.bootstrapServers = bootstrapServers;
        this.prefix = prefix;
    }

    @Override
    public int run(String... args) {
        Standalone standalone = Standalone.current();
        Terminal terminal = Terminal.of(standalone.out());
        List<TrainRequest> requests = standalone.requests();
        List<String> complete = new ArrayList<>();
        int code = 0;
        for (int i = 0; i < requests.size() && !standalone.stopping(); i++) {
            TrainRequest request = requests.get(i);
            if (requests.size() > 1) {
                terminal.line("Run " + (i + 1) + " of " + requests.size() + ": " + request.run());
            }
            try {
                if (follow(request, standalone, terminal)) {
                    complete.add(request.run());
                }
            } catch (RuntimeException | OutOfMemoryError e) { // the others can be run for all that
                terminal.clearStatus();
                code = Math.max(code, standalone.failed(e));
            }
        }
        if (standalone.stopping()) {
            return 1; // the signal decides the exit code
        }
        return Math.max(code, compare(complete, standalone, terminal));
    }

    /** False when it was stopped. */
    private boolean follow(TrainRequest request, Standalone standalone, Terminal terminal) {
        String run = request.run();
        Home home = standalone.home();
        Progress progress = new Progress(terminal, System::nanoTime);
        try (RunFollower follower = RunFollower.atTheEnd(bootstrapServers, Topic.RUN_EVENTS.topic(prefix), run)) {
            publisher.publishAndWait(Topic.TRAIN_REQUESTS, run, request);
            Optional<RunEvent> end =
                    follower.follow(seen -> progress.show(seen.event()), standalone::stopping, home::requireRoomToGoOn);
            terminal.clearStatus();
            if (end.isEmpty()) {
                return false;
            }
            Results results = Results.copy(
                    Outcome.completed(end.get(), home.logFile().toString(), ", or another folder with --home"),
                    store,
                    home.results(run));
            results.closingLines().forEach(terminal::line);
            return true;
        }
    }

    /** Returns the exit code. */
    private int compare(List<String> runs, Standalone standalone, Terminal terminal) {
        if (runs.size() < 2) {
            return 0;
        }
        try {
            Path page = standalone.home().comparison();
            Files.writeString(page, new Comparison(store).of(runs));
            terminal.line("Comparison: " + page);
            return 0;
        } catch (IOException | RuntimeException e) {
            return standalone.failed(UserException.failed(
                    "The runs are complete, but the page that compares them cannot be written: " + Failures.explain(e),
                    e));
        }
    }
}
