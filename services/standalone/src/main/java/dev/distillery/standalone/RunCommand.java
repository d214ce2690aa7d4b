package dev.distillery.standalone;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;

import dev.distillery.dataingest.Sources;
import dev.distillery.dataingest.source.web.WebClient;
import dev.distillery.dataingest.source.web.WebSettings;
import dev.distillery.diffusion.tensor.Torch;
import dev.distillery.events.TrainRequest;
import dev.distillery.hub.HubClient;
import dev.distillery.planning.MemoryCheck.DeviceMemory;
import dev.distillery.standalone.console.OutputOption;
import dev.distillery.standalone.console.RequestFile;
import dev.distillery.standalone.console.UserException;
import dev.distillery.standalone.console.Version;
import dev.distillery.standalone.installation.Connection;
import dev.distillery.standalone.installation.RunsCommand;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code distillery run}: from a request to converted weights. */
@Command(
        name = "run",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        description = {
            "Runs train requests from their images to converted weights, with all services in this process.",
            "Several run one after the other, and are then shown on one page, DIR/runs/comparison.html.",
            "A run that was stopped or killed goes on where it was when the same command is given again.",
            "With the name of a run instead of a file: how this run of an installation goes, as 'distillery runs NAME' tells it.",
            "The options of an installation are for that alone."
        })
final class RunCommand implements Callable<Integer> {
    @Parameters(
            arity = "1..*",
            paramLabel = "REQUEST.yaml|NAME",
            description = "The train request. Paths in it (file:./folder, ./folder) are relative to its own folder.")
    private List<Path> files;

    @Option(
            names = "--home",
            paramLabel = "DIR",
            defaultValue = ".distillery",
            description = "Holds everything: broker, store, log, results. Default: ${DEFAULT-VALUE}")
    private Path home;

    @Mixin
    private Connection connection;

    @Mixin
    private OutputOption output;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws Exception {
        Path first = files.get(0);
        if (files.size() == 1 && !Files.exists(first) && TrainRequest.isRunName(first.toString())) {
            return RunsCommand.tell(Optional.of(first.toString()), connection, output, spec);
        }
        List<TrainRequest> requests = requests();
        try (Home opened = Home.open(home)) {
            return Standalone.run(
                    requests,
                    opened,
                    spec.commandLine().getOut(),
                    spec.commandLine().getErr());
        }
    }

    /** All of them, before any is run. */
    private List<TrainRequest> requests() {
        var sources = Sources.withoutStore(
                new HubClient(HubClient.Settings.of(System.getenv())), new WebClient(WebSettings.ofEnvironment()));
        DeviceMemory here = DeviceMemory.of(Torch.defaultDevice());
        var fileOf = new LinkedHashMap<String, Path>();
        var requests = new ArrayList<TrainRequest>();
        for (Path file : files) {
            TrainRequest request = RequestFile.read(file, sources, here).request();
            Path other = fileOf.putIfAbsent(request.run(), file);
            if (other != null) {
                throw UserException.badInput(
                        "run: " + request.run() + " stands in both " + other + " and " + file + ", but names one run");
            }
            requests.add(request);
        }
        return requests;
    }
}
