package dev.distillery.standalone;

import java.util.Map;

import dev.distillery.standalone.console.Failures;
import dev.distillery.standalone.console.Version;
import dev.distillery.standalone.evaluation.EvaluateCommand;
import dev.distillery.standalone.installation.CompareCommand;
import dev.distillery.standalone.installation.Connection;
import dev.distillery.standalone.installation.ControlCommand;
import dev.distillery.standalone.installation.DeadLettersCommand;
import dev.distillery.standalone.installation.FetchCommand;
import dev.distillery.standalone.installation.FollowCommand;
import dev.distillery.standalone.installation.RunsCommand;
import dev.distillery.standalone.installation.ScoreCommand;
import dev.distillery.standalone.installation.SubmitCommand;
import io.quarkus.runtime.annotations.QuarkusMain;
import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** The command line. Exit codes: 0 done, 1 failed, 2 bad request or arguments (nothing was started). */
@QuarkusMain
@Command(
        name = "distillery",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        synopsisSubcommandLabel = "COMMAND",
        description = "Makes Stable Diffusion smaller: removes blocks from a U-Net and distils what was removed.",
        subcommands = {
            RunCommand.class,
            ValidateCommand.class,
            ConvertCommand.class,
            InspectCommand.class,
            PushCommand.class,
            SampleCommand.class,
            ReplayCommand.class,
            EvaluateCommand.class,
            FilterLoraCommand.class,
            SubmitCommand.class,
            ScoreCommand.class,
            RunsCommand.class,
            FollowCommand.class,
            ControlCommand.Cancel.class,
            ControlCommand.Pause.class,
            ControlCommand.Resume.class,
            ControlCommand.Extend.class,
            FetchCommand.class,
            CompareCommand.class,
            DeadLettersCommand.class,
            PresetsCommand.class,
            AutoComplete.GenerateCompletion.class
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"0:done", "1:failed; the message says why and where to look", "2:bad request or arguments"})
public final class Main implements Runnable {
    @Spec
    private CommandSpec spec;

    /** Runs one command and ends the JVM with its exit code. */
    public static void main(String... args) {
        int code = commandLine().execute(args);
        System.exit(code);
    }

    static CommandLine commandLine() {
        return commandLine(new Main());
    }

    /** @param env that the settings of an installation come from */
    public static CommandLine commandLine(Map<String, String> env) {
        return commandLine(new Main(), env);
    }

    static CommandLine commandLine(Object ofUser) {
        return commandLine(ofUser, System.getenv());
    }

    private static CommandLine commandLine(Object ofUser, Map<String, String> env) {
        return new CommandLine(ofUser, new Commands(env))
                .setExecutionExceptionHandler((failure, command, parsed) -> Failures.report(command.getErr(), failure));
    }

    /** Makes commands and their parts; what reads the environment is given it. */
    private record Commands(Map<String, String> env) implements CommandLine.IFactory {
        @Override
        public <K> K create(Class<K> type) throws Exception {
            return type == Connection.class
                    ? type.cast(new Connection(env))
                    : CommandLine.defaultFactory().create(type);
        }
    }

    @Override
    public void run() {
        throw new CommandLine.ParameterException(
                spec.commandLine(),
                "Missing command: " + String.join(", ", spec.subcommands().keySet()));
    }
}
