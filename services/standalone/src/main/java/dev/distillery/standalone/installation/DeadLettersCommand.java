package dev.distillery.standalone.installation;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;

import dev.distillery.standalone.console.OutputOption;
import dev.distillery.standalone.console.Table;
import dev.distillery.standalone.console.Version;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code distillery dead-letters}: what the services could not do anything with. */
@Command(
        name = "dead-letters",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        synopsisSubcommandLabel = "COMMAND",
        description = {
            "Lists, shows and replays records that a service could not do anything with.",
            "Malformed ones, requests with wrong fields, and what failed in a way that nobody foresaw: each says where it came"
                    + " from and why. When what was wrong is mended, replay sends it again."
        },
        subcommands = {DeadLettersCommand.All.class, DeadLettersCommand.Show.class, DeadLettersCommand.Replay.class},
        footerHeading = "%nExamples:%n",
        footer = {
            "  distillery dead-letters list --profile lab",
            "  distillery dead-letters show 0:17 --profile lab",
            "  distillery dead-letters replay 0:17 1:3 --profile lab"
        })
public final class DeadLettersCommand implements Runnable {
    @Spec
    private CommandSpec spec;

    @Override
    public void run() {
        throw new ParameterException(
                spec.commandLine(),
                "Missing command: " + String.join(", ", spec.subcommands().keySet()));
    }

    /** What they share. */
    @Command(
            mixinStandardHelpOptions = true,
            versionProvider = Version.class,
            sortOptions = false,
            exitCodeListHeading = "%nExit codes:%n",
            exitCodeList = {"0:done", "1:Kafka cannot be used", "2:no such dead letter, or wrong arguments"})
    abstract static class Letters implements Callable<Integer> {
        @Mixin
        private Connection connection;

        @Mixin
        private OutputOption output;

        @Spec
        private CommandSpec spec;

        @Override
        public Integer call() throws Exception {
            output.check();
            return connection.use(installation -> {
                spec.commandLine().getOut().println(tell(installation.broker(), output));
                return 0;
            });
        }

        abstract String tell(Broker broker, OutputOption output) throws Exception;
    }

    @Command(name = "list", description = "Lists those that are still there, the oldest first.")
    static final class All extends Letters {
        @Override
        String tell(Broker broker, OutputOption output) throws Exception {
            List<DeadLetter> all =
                    new DeadLetters(broker).all().stream().map(DeadLetter::of).toList();
            return output.of(all, table(all));
        }

        private static String table(List<DeadLetter> all) {
            return all.isEmpty()
                    ? "There are no dead letters."
                    : Table.of(
                            List.of("ID", "TIME", "TOPIC", "KEY", "REASON"),
                            all.stream().map(All::row).toList());
        }

        private static List<String> row(DeadLetter letter) {
            return List.of(
                    letter.id(), letter.time(), or(letter.topic()), or(letter.key()), firstLine(or(letter.reason())));
        }

        private static String firstLine(String text) {
            return text.lines().findFirst().orElse("-");
        }
    }

    @Command(name = "show", description = "Shows one: why it is here, its own headers and its value.")
    static final class Show extends Letters {
        @Parameters(paramLabel = "PARTITION:OFFSET", description = "As the list names it.")
        private String id;

        @Override
        String tell(Broker broker, OutputOption output) throws Exception {
            DeadLetter letter =
                    DeadLetter.of(new DeadLetters(broker).named(List.of(id)).get(0));
            return output.of(letter, text(letter));
        }

        private static String text(DeadLetter letter) {
            StringBuilder text = new StringBuilder();
            line(text, "Id", letter.id() + ", " + letter.time());
            line(text, "From", letter.topic() + ", " + letter.partition() + ":" + letter.offset());
            line(text, "Key", or(letter.key()));
            line(text, "Reason", or(letter.reason()));
            if (letter.cause() != null) {
                line(text, "Cause", letter.cause());
            }
            letter.headers().forEach((name, value) -> line(text, "Header", name + ": " + value));
            return text.append('\n').append(or(letter.value())).toString();
        }

        private static void line(StringBuilder text, String name, String value) {
            text.append(String.format("%-7s %s%n", name, value));
        }
    }

    @Command(
            name = "replay",
            description = {
                "Sends them to the topics that they came from, with their own keys, values and headers.",
                "The dead letters stay; those that fail again come again."
            })
    static final class Replay extends Letters {
        @ArgGroup(multiplicity = "1")
        private Which which;

        private static final class Which {
            @Parameters(arity = "1..*", paramLabel = "PARTITION:OFFSET", description = "As the list names them.")
            private List<String> ids;

            @Option(names = "--all", required = true, description = "All that are still there, replayed before or not.")
            private boolean all;
        }

        private record Replayed(String id, String topic, int partition, long offset) {}

        @Override
        String tell(Broker broker, OutputOption output) throws Exception {
            var letters = new DeadLetters(broker);
            List<ConsumerRecord<byte[], byte[]>> records = which.all ? letters.all() : letters.named(which.ids);
            List<RecordMetadata> sent = broker.send(records.stream()
                    .map(record -> DeadLetter.original(record, broker))
                    .toList());
            List<Replayed> replayed = new ArrayList<>();
            for (int i = 0; i < sent.size(); i++) {
                RecordMetadata at = sent.get(i);
                replayed.add(new Replayed(DeadLetter.id(records.get(i)), at.topic(), at.partition(), at.offset()));
            }
            return output.of(replayed, table(replayed));
        }

        private static String table(List<Replayed> replayed) {
            return replayed.isEmpty()
                    ? "There are no dead letters."
                    : Table.of(
                            List.of("ID", "SENT TO"),
                            replayed.stream()
                                    .map(one ->
                                            List.of(one.id(), one.topic() + " " + one.partition() + ":" + one.offset()))
                                    .toList());
        }
    }

    private static String or(String text) {
        return Objects.requireNonNullElse(text, "-");
    }
}
