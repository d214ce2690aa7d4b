package dev.distillery.standalone;

import java.nio.file.Files;
import java.nio.file.Path;
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
            "Runs a train request from its images to converted weights, with all services in this process.",
            "A run that was stopped or killed goes on where it was when the same command is given again.",
            "With the name of a run instead of a file: how this run of an installation goes, as 'distillery runs NAME' tells it.",
            "The options of an installation are for that alone."
        })
final class RunCommand implements Callable<Integer> {
    @Parameters(
            paramLabel = "REQUEST.yaml|NAME",
            description = "The train request. Paths in it (file:./folder, ./folder) are relative to its own folder.")
    private Path request;

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
        if (!Files.exists(request) && TrainRequest.isRunName(request.toString())) {
            return RunsCommand.tell(Optional.of(request.toString()), connection, output, spec);
        }
        var hub = new HubClient(HubClient.Settings.of(System.getenv()));
        var web = new WebClient(WebSettings.ofEnvironment());
        DeviceMemory here = DeviceMemory.of(Torch.defaultDevice());
        TrainRequest train =
                RequestFile.read(request, Sources.withoutStore(hub, web), here).request();
        try (Home opened = Home.open(home)) {
            return Standalone.run(
                    train,
                    opened,
                    spec.commandLine().getOut(),
                    spec.commandLine().getErr());
        }
    }
}
