package dev.distillery.standalone;

import io.quarkus.runtime.annotations.QuarkusMain;
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
            InspectCommand.class,
            SampleCommand.class,
            ReplayCommand.class
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
        return new CommandLine(new Main())
                .setExecutionExceptionHandler((failure, command, parsed) -> Failures.report(command.getErr(), failure));
    }

    @Override
    public void run() {
        throw new CommandLine.ParameterException(
                spec.commandLine(), "Missing command: run, validate, inspect, sample or replay");
    }
}
