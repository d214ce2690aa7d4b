package dev.distillery.standalone;

import java.nio.file.Path;
import java.util.concurrent.Callable;

import dev.distillery.dataingest.Sources;
import dev.distillery.dataingest.source.hub.HubClient;
import dev.distillery.diffusion.tensor.Torch;
import dev.distillery.events.TrainRequest;
import dev.distillery.planning.MemoryCheck.DeviceMemory;
import picocli.CommandLine.Command;
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
            "A run that was stopped or killed goes on where it was when the same command is given again."
        })
final class RunCommand implements Callable<Integer> {
    @Parameters(
            paramLabel = "REQUEST.yaml",
            description = "The train request. Paths in it (file:./folder, ./folder) are relative to its own folder.")
    private Path request;

    @Option(
            names = "--home",
            paramLabel = "DIR",
            defaultValue = ".distillery",
            description = "Holds everything: broker, store, log, results. Default: ${DEFAULT-VALUE}")
    private Path home;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        var hub = new HubClient(HubClient.Settings.of(System.getenv()));
        DeviceMemory here = DeviceMemory.of(Torch.defaultDevice());
        TrainRequest train =
                RequestFile.read(request, Sources.withoutStore(hub), here).request();
        try (Home opened = Home.open(home)) {
            return Standalone.run(
                    train,
                    opened,
                    spec.commandLine().getOut(),
                    spec.commandLine().getErr());
        }
    }
}
