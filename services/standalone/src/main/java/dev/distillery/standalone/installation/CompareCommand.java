package dev.distillery.standalone.installation;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;

import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.Keys;
import dev.distillery.artifacts.Manifests;
import dev.distillery.converter.report.Comparison;
import dev.distillery.standalone.console.UserException;
import dev.distillery.standalone.console.Version;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code distillery compare}: several runs on one page. */
@Command(
        name = "compare",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        sortOptions = false,
        description = {
            "Writes one page of several runs: in what their requests differ, sizes, latency, losses, scores, curves and pictures.",
            "Their weights must be converted."
        },
        footerHeading = "%nExamples:%n",
        footer = "  distillery compare sdxl-small sdxl-tiny --out comparison.html --profile lab",
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"0:done", "1:the store or the page's folder cannot be used", "2:no such run, or wrong arguments"
        })
public final class CompareCommand implements Callable<Integer> {
    @Parameters(arity = "2..*", paramLabel = "NAME", description = "The runs, in the order of the table.")
    private List<String> names;

    @Option(
            names = "--out",
            paramLabel = "FILE",
            defaultValue = "comparison.html",
            description = "The page. Default: ${DEFAULT-VALUE}")
    private Path out;

    @Mixin
    private Connection connection;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws Exception {
        names.forEach(NamedRun::checked);
        return connection.use(installation -> {
            ArtifactStore store = installation.store();
            names.forEach(name -> requireConverted(store, name));
            write(new Comparison(store).of(names));
            spec.commandLine().getOut().println("Comparison: " + out);
            return 0;
        });
    }

    private static void requireConverted(ArtifactStore store, String name) {
        NamedRun.require(store, name);
        if (Manifests.find(store, Keys.runModel(name)).isEmpty()) {
            throw UserException.badInput("The run '" + name + "' has no converted weights yet: 'distillery runs " + name
                    + "' tells how it stands.");
        }
    }

    private void write(String page) {
        try {
            Files.writeString(out, page);
        } catch (IOException e) {
            throw UserException.failed(out + " cannot be written: " + e, e);
        }
    }
}
