package dev.distillery.standalone.installation;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;

import com.fasterxml.jackson.core.JsonProcessingException;
import dev.distillery.standalone.console.OutputOption;
import dev.distillery.standalone.console.Version;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code distillery runs}: the runs of an installation, or one of them. */
@Command(
        name = "runs",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        sortOptions = false,
        description = {
            "Lists the runs of an installation, the last changed first; with NAME tells all of one.",
            "That is its stages, how far it is, its last losses, where things are, and why it failed; 'distillery run NAME' is"
                    + " the same. Progress is that of the stage. The store is enough; live progress and failures are known"
                    + " from Kafka, if it is named."
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  distillery runs --profile lab",
            "  distillery runs small-sdxl-pokemon --profile lab",
            "  distillery runs --profile lab -o json | jq -r '.[] | select(.state == \"failed\").run'"
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"0:done", "1:broker or store cannot be used", "2:no such run, or wrong arguments"})
public final class RunsCommand implements Callable<Integer> {
    @Parameters(arity = "0..1", paramLabel = "NAME", description = "One of them.")
    private Optional<String> name = Optional.empty();

    @Mixin
    private Connection connection;

    @Mixin
    private OutputOption output;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws Exception {
        return tell(name.map(NamedRun::checked), connection, output, spec);
    }

    /** Tells of all runs, or of the one that is named. */
    public static int tell(Optional<String> name, Connection connection, OutputOption output, CommandSpec spec)
            throws Exception {
        output.check();
        return connection.use(installation -> {
            Runs runs = new Runs(installation.store(), installation.bucket(), installation.brokerIfNamed());
            spec.commandLine().getOut().println(name.isPresent() ? one(runs, name.get(), output) : all(runs, output));
            return 0;
        });
    }

    private static String all(Runs runs, OutputOption output) throws JsonProcessingException {
        List<RunStatus> all = runs.all();
        return output.of(all, new RunTable(Instant.now()).of(all));
    }

    private static String one(Runs runs, String name, OutputOption output) throws JsonProcessingException {
        RunDetails run = runs.one(name);
        return output.of(run, new RunTable(Instant.now()).of(run));
    }
}
