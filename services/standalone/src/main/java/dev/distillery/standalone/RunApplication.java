package dev.distillery.standalone;

import java.util.Optional;

import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.events.RunEvent;
import dev.distillery.events.Topic;
import dev.distillery.events.messaging.EventPublisher;
import dev.distillery.standalone.console.Progress;
import dev.distillery.standalone.console.Terminal;
import dev.distillery.standalone.installation.Outcome;
import dev.distillery.standalone.installation.RunFollower;
import io.quarkus.runtime.QuarkusApplication;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/** Publishes the request as any user would, follows the run to its end, and brings the results home. */
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
        try {
            return follow(standalone);
        } catch (RuntimeException | OutOfMemoryError e) {
            return standalone.failed(e);
        }
    }

    private int follow(Standalone standalone) {
        String run = standalone.request().run();
        Home home = standalone.home();
        Terminal terminal = Terminal.of(standalone.out());
        Progress progress = new Progress(terminal, System::nanoTime);
        try (RunFollower follower = RunFollower.atTheEnd(bootstrapServers, Topic.RUN_EVENTS.topic(prefix), run)) {
            publisher.publishAndWait(Topic.TRAIN_REQUESTS, run, standalone.request());
            Optional<RunEvent> end =
                    follower.follow(seen -> progress.show(seen.event()), standalone::stopping, home::requireRoomToGoOn);
            terminal.clearStatus();
            if (end.isEmpty()) {
                return 1; // the signal decides the exit code
            }
            Results results = Results.copy(
                    Outcome.completed(end.get(), home.logFile().toString(), ", or another folder with --home"),
                    store,
                    home.results(run));
            results.closingLines().forEach(terminal::line);
            return 0;
        }
    }
}
