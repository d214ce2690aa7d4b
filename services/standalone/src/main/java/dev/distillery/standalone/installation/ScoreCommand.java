package dev.distillery.standalone.installation;

import java.nio.file.Path;
import java.util.concurrent.Callable;

import dev.distillery.artifacts.Keys;
import dev.distillery.events.EvaluateRequest;
import dev.distillery.events.Topic;
import dev.distillery.standalone.console.OutputOption;
import dev.distillery.standalone.console.RequestFile;
import dev.distillery.standalone.console.Version;
import org.apache.kafka.clients.producer.RecordMetadata;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code distillery score}: a request to evaluate a run's student, to an installation. */
@Command(
        name = "score",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        sortOptions = false,
        description = {
            "Publishes an evaluate request: a run's converted student is scored beside its teacher.",
            "Every field is checked before. What evaluators cannot do about it is among the dead letters. If the store is "
                    + "named too, a run that is not there is refused."
        },
        footerHeading = "%nExample:%n",
        footer = "  distillery score -f scores.yaml --profile lab",
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:the broker has it",
            "1:broker or store cannot be used",
            "2:the request is wrong, nothing was sent"
        })
public final class ScoreCommand implements Callable<Integer> {
    @Option(
            names = {"-f", "--file"},
            paramLabel = "REQUEST.yaml",
            required = true,
            description =
                    "'run', the 'name' of the evaluation, and under 'evaluate' the settings that a train request has there.")
    private Path file;

    @Mixin
    private Connection connection;

    @Mixin
    private OutputOption output;

    @Spec
    private CommandSpec spec;

    private record Sent(String run, String name, String topic, int partition, long offset) {}

    @Override
    public Integer call() throws Exception {
        output.check();
        EvaluateRequest request = RequestFile.parseEvaluate(file);
        return connection.use(installation -> {
            Broker broker = installation.broker();
            installation.storeIfNamed().ifPresent(store -> NamedRun.require(store, request.run()));
            RecordMetadata at = broker.publish(Topic.EVALUATE_REQUESTS, request);
            spec.commandLine()
                    .getOut()
                    .println(output.of(
                            new Sent(request.run(), request.name(), at.topic(), at.partition(), at.offset()),
                            "Sent: evaluation '" + request.name() + "' of run '" + request.run()
                                    + "'. Its scores will be s3://" + installation.bucket() + "/"
                                    + Keys.evaluation(request.run(), request.name())));
            return 0;
        });
    }
}
