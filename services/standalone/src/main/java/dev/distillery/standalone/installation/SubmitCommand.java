package dev.distillery.standalone.installation;

import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.stream.Stream;

import dev.distillery.events.Topic;
import dev.distillery.events.TrainRequest;
import dev.distillery.standalone.console.OutputOption;
import dev.distillery.standalone.console.RequestFile;
import dev.distillery.standalone.console.Terminal;
import dev.distillery.standalone.console.Version;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.RecordMetadata;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code distillery submit}: a request to an installation. */
@Command(
        name = "submit",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        sortOptions = false,
        description = {
            "Publishes a train request.",
            "Every field is checked before; teacher and data set are looked for by data-ingest, which accepts or "
                    + "rejects the run: --follow waits for it. The same request again goes on with the run."
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  distillery submit -f request.yaml --kafka kafka:9092 --follow",
            "  distillery presets koala-700m > request.yaml    (edit it)",
            "  distillery submit -f request.yaml --profile lab -o json"
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:the broker has it; with --follow: the run is complete",
            "1:Kafka cannot be used; with --follow: the run failed or was cancelled",
            "2:the request is wrong, nothing was sent; with --follow: or it was rejected"
        })
public final class SubmitCommand implements Callable<Integer> {
    @Option(
            names = {"-f", "--file"},
            paramLabel = "REQUEST.yaml",
            required = true,
            description =
                    "The train request. A path in it (file:./folder, ./folder) is relative to its own folder, and must be "
                            + "one that the services see.")
    private Path file;

    @Option(names = "--follow", description = "Shows the run as it goes, to its end.")
    private boolean follow;

    @Mixin
    private Connection connection;

    @Mixin
    private OutputOption output;

    @Spec
    private CommandSpec spec;

    private record Submitted(String run, String topic, int partition, long offset) {}

    @Override
    public Integer call() throws Exception {
        output.check();
        TrainRequest request = RequestFile.parse(file);
        return connection.use(installation -> submit(request, installation));
    }

    private int submit(TrainRequest request, Installation installation) throws Exception {
        Broker broker = installation.broker();
        Terminal terminal = Terminal.of(spec.commandLine().getOut());
        if (!follow) {
            publish(request, broker, terminal);
            return 0;
        }
        KafkaConsumer<String, byte[]> consumer = broker.consumer();
        try (var follower =
                RunFollower.atTheEnd(consumer, broker.partitions(consumer, Topic.RUN_EVENTS), request.run())) {
            publish(request, broker, terminal);
            return new Following(request.run(), installation.bucket(), terminal, output).show(follower, false);
        }
    }

    private void publish(TrainRequest request, Broker broker, Terminal terminal) throws Exception {
        RecordMetadata at = broker.publish(Topic.TRAIN_REQUESTS, request);
        if (output.forPeople()) {
            terminal.line("Submitted run '" + request.run() + "': " + at.topic() + ", partition " + at.partition()
                    + ", offset " + at.offset() + ".");
            Stream.of(request.teacher().model(), request.source())
                    .filter(source -> source.startsWith("file:"))
                    .forEach(source -> terminal.line("data-ingest must see " + source + "."));
            if (!follow) {
                terminal.line("See it go: distillery follow " + request.run());
            }
        } else if (!follow) {
            terminal.line(output.of(new Submitted(request.run(), at.topic(), at.partition(), at.offset()), ""));
        }
    }
}
