package dev.distillery.standalone.installation;

import java.util.concurrent.Callable;

import dev.distillery.events.Topic;
import dev.distillery.standalone.console.OutputOption;
import dev.distillery.standalone.console.Terminal;
import dev.distillery.standalone.console.Version;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code distillery follow}: a run of an installation as it goes. */
@Command(
        name = "follow",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        sortOptions = false,
        description = {
            "Shows what happened to a run, then what happens, to its end.",
            "When the connection to Kafka breaks it says so, and goes on at the record where it was. With -o json "
                    + "each event is a line, with -o yaml a document."
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  distillery follow small-sdxl-pokemon --kafka kafka:9092",
            "  distillery follow small-sdxl-pokemon --profile lab && distillery fetch small-sdxl-pokemon --profile lab --out here"
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:the run is complete",
            "1:it failed or was cancelled, or Kafka cannot be used",
            "2:it was rejected, or an argument is wrong"
        })
public final class FollowCommand implements Callable<Integer> {
    @Mixin
    private NamedRun run;

    @Mixin
    private Connection connection;

    @Mixin
    private OutputOption output;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws Exception {
        output.check();
        String name = run.name();
        return connection.use(installation -> {
            Broker broker = installation.broker();
            Terminal terminal = Terminal.of(spec.commandLine().getOut());
            KafkaConsumer<String, byte[]> consumer = broker.consumer();
            try (var follower =
                    RunFollower.fromTheBeginning(consumer, broker.partitions(consumer, Topic.RUN_EVENTS), name)) {
                return new Following(name, installation.bucket(), terminal, output).show(follower, true);
            }
        });
    }
}
