package dev.distillery.standalone.installation;

import java.util.concurrent.Callable;

import dev.distillery.events.RunControl;
import dev.distillery.events.Topic;
import dev.distillery.standalone.console.OutputOption;
import dev.distillery.standalone.console.Version;
import org.apache.kafka.clients.producer.RecordMetadata;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Asks for something to be done about a run, on {@code run-control}. */
@Command(
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        sortOptions = false,
        footerHeading = "%nExample:%n",
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"0:the broker has it", "1:broker or store cannot be used", "2:no such run, or wrong arguments"})
public abstract class ControlCommand implements Callable<Integer> {
    @Mixin
    private NamedRun run;

    @Mixin
    private Connection connection;

    @Mixin
    private OutputOption output;

    @Spec
    private CommandSpec spec;

    /** @param topic where the record is, with partition and offset */
    private record Sent(RunControl control, String topic, int partition, long offset) {}

    private final String action;
    private final String consequence;

    /** @param consequence what will come of it, for people */
    ControlCommand(String action, String consequence) {
        this.action = action;
        this.consequence = consequence;
    }

    RunControl control(String run) {
        return new RunControl(run, action);
    }

    @Override
    public Integer call() throws Exception {
        output.check();
        String name = run.name();
        return connection.use(installation -> {
            Broker broker = installation.broker();
            installation.storeIfNamed().ifPresent(store -> NamedRun.require(store, name));
            RunControl control = control(name);
            RecordMetadata at = broker.publish(Topic.RUN_CONTROL, control);
            spec.commandLine()
                    .getOut()
                    .println(output.of(
                            new Sent(control, at.topic(), at.partition(), at.offset()),
                            "Sent: " + action + " of run '" + name + "'. " + consequence));
            return 0;
        });
    }

    @Command(
            name = "cancel",
            description = {
                "Ends a run: its trainer stops within seconds.",
                "Its checkpoints stay, and 'extend' or the same request do not revive it. If the store is named too, "
                        + "a name that is not there is refused."
            },
            footer = "  distillery cancel small-sdxl-pokemon --profile lab")
    public static final class Cancel extends ControlCommand {
        public Cancel() {
            super("cancel", "Its trainer stops within seconds.");
        }
    }

    @Command(
            name = "pause",
            description = {
                "Puts a run aside: its trainer takes a checkpoint and goes on with another run.",
                "'distillery resume' queues it again. A run that is not trained yet is prepared, but not begun."
            },
            footer = "  distillery pause small-sdxl-pokemon --profile lab")
    public static final class Pause extends ControlCommand {
        public Pause() {
            super("pause", "Its trainer takes a checkpoint and puts it aside.");
        }
    }

    @Command(
            name = "resume",
            description = "Queues a paused run again; a trainer that is free goes on from its checkpoint.",
            footer = "  distillery resume small-sdxl-pokemon --profile lab")
    public static final class Resume extends ControlCommand {
        public Resume() {
            super("resume", "It goes on as soon as a trainer is free.");
        }
    }

    @Command(
            name = "extend",
            description = {
                "Lets a run go on past its end, also one that has ended: it is trained on from its last checkpoint "
                        + "and converted again.",
                "The number is that of the whole run, in what its request counts."
            },
            footer = "  distillery extend small-sdxl-pokemon --epochs 60 --profile lab")
    public static final class Extend extends ControlCommand {
        @ArgGroup(multiplicity = "1")
        private Length length;

        private static final class Length {
            @Option(names = "--epochs", paramLabel = "N", required = true, description = "Epochs, in all.")
            private Integer epochs;

            @Option(names = "--steps", paramLabel = "N", required = true, description = "Steps, in all.")
            private Integer steps;
        }

        public Extend() {
            super("extend", "What a trainer cannot do about it is among the dead letters.");
        }

        @Override
        RunControl control(String run) {
            return new RunControl(run, "extend", length.epochs, length.steps);
        }
    }
}
