package dev.distillery.standalone.installation;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongConsumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;

import dev.distillery.standalone.console.Arguments;
import dev.distillery.standalone.console.OutputOption;
import dev.distillery.standalone.console.Progress;
import dev.distillery.standalone.console.Terminal;
import dev.distillery.standalone.console.UserException;
import dev.distillery.standalone.console.Version;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code distillery fetch}: what a run has left, as files. */
@Command(
        name = "fetch",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        sortOptions = false,
        description = {
            "Copies a run's results out of the store: DIR/model (what diffusers loads), DIR/report.html, "
                    + "DIR/samples.",
            "Several files come at once. Weights are checked against the SHA-256 of their manifest; a file that "
                    + "is there and whole is kept, one that was broken off goes on where it was, and each appears when it "
                    + "is whole."
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  distillery fetch small-sdxl-pokemon --out small --profile lab",
            "  distillery fetch small-sdxl-pokemon --what unet,report --out small --profile lab"
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:everything is there",
            "1:it is not there yet, is damaged, or the store cannot be used; the same command goes on",
            "2:no such run, or wrong arguments"
        })
public final class FetchCommand implements Callable<Integer> {
    private static final int MOST_PARALLEL = 64;

    @Mixin
    private NamedRun run;

    @Option(
            names = "--what",
            paramLabel = "WHAT",
            split = ",",
            description =
                    "unet, pipeline (every folder of the model), single-file, lora, samples, report, or several, parted by "
                            + "commas. Default: all that there is.")
    private Set<String> what = new LinkedHashSet<>();

    @Option(names = "--out", paramLabel = "DIR", required = true, description = "The folder to write into.")
    private Path out;

    @Option(
            names = "--parallel",
            paramLabel = "N",
            defaultValue = "4",
            description = "Files at once. Default: ${DEFAULT-VALUE}")
    private int parallel;

    @Mixin
    private Connection connection;

    @Mixin
    private OutputOption output;

    @Spec
    private CommandSpec spec;

    /** @param kept files that were there */
    private record Fetched(String run, String out, int fetched, int kept, long bytes) {}

    @Override
    public Integer call() throws Exception {
        output.check();
        Arguments.between("--parallel", parallel, 1, MOST_PARALLEL);
        String name = run.name();
        Set<Results.What> wanted = what.stream().map(FetchCommand::what).collect(Collectors.toSet());
        return connection.use(installation -> {
            var store = installation.store();
            NamedRun.require(store, name);
            List<FetchedFile> files = new Results(store, name).files(wanted);
            long bytes = files.stream().mapToLong(FetchedFile::size).sum();
            Terminal terminal = Terminal.of(spec.commandLine().getOut());
            var download = new Download(store, out.toAbsolutePath().normalize(), progress(terminal, bytes));
            int fetched = fetch(files, download);
            terminal.clearStatus();
            var told = new Fetched(name, out.toString(), fetched, files.size() - fetched, bytes);
            terminal.line(output.of(
                    told,
                    out + ": " + files.size() + " files, " + Progress.megabytes(bytes)
                            + (told.kept() == 0 ? "" : ", " + told.kept() + " of them were there")));
            return 0;
        });
    }

    private static Results.What what(String name) {
        return Stream.of(Results.What.values())
                .filter(one -> one.inWords().equals(name))
                .findFirst()
                .orElseThrow(() -> UserException.badInput("--what must be of "
                        + Stream.of(Results.What.values())
                                .map(Results.What::inWords)
                                .collect(Collectors.joining(", "))
                        + " but is " + name));
    }

    private LongConsumer progress(Terminal terminal, long total) {
        AtomicLong done = new AtomicLong();
        return bytes -> {
            long now = done.addAndGet(bytes);
            if (terminal.live() && output.forPeople()) {
                synchronized (terminal) {
                    terminal.status("  " + Progress.megabytes(now) + " of " + Progress.megabytes(total));
                }
            }
        };
    }

    /** Returns how many came; the first failure ends it. */
    private int fetch(List<FetchedFile> files, Download download) throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(Math.min(parallel, files.size()));
        try {
            List<Future<Boolean>> fetching = new ArrayList<>();
            files.forEach(file -> fetching.add(threads.submit(() -> download.fetch(file))));
            int came = 0;
            for (Future<Boolean> one : fetching) {
                came += one.get() ? 1 : 0;
            }
            return came;
        } catch (ExecutionException | CancellationException e) {
            if (e.getCause() instanceof IOException cause) {
                throw UserException.failed(
                        "Not everything came to " + out + ": " + cause + "\nThe same command goes on from here.",
                        cause);
            }
            throw e;
        } finally {
            threads.shutdownNow();
        }
    }
}
