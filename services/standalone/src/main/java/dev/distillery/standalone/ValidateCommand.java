package dev.distillery.standalone;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;

import ai.djl.Device;
import dev.distillery.dataingest.source.PairSource;
import dev.distillery.dataingest.teacher.TeacherFiles;
import dev.distillery.diffusion.tensor.Torch;
import dev.distillery.planning.MemoryCheck;
import dev.distillery.planning.MemoryCheck.DeviceMemory;
import dev.distillery.standalone.console.OutputOption;
import dev.distillery.standalone.console.QuietLogging;
import dev.distillery.standalone.console.RequestFile;
import dev.distillery.standalone.console.UserException;
import dev.distillery.standalone.console.Version;
import dev.distillery.trainer.run.RunForecast;
import io.quarkus.runtime.configuration.MemorySizeConverter;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code distillery validate}: whether a request can be run, and what it will cost. */
@Command(
        name = "validate",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        sortOptions = false,
        description = {
            "Looks whether a train request can be run, and what it will cost: every field, teacher and data set,",
            "the layout, the memory that training needs on its device by part, and the time that it takes on this machine.",
            "No weight and no image is read. Exit code 2 if it cannot be run, with every reason."
        })
final class ValidateCommand implements Callable<Integer> {
    @Parameters(paramLabel = "REQUEST.yaml", description = "The train request.")
    private Path request;

    @Option(
            names = "--device-memory",
            paramLabel = "SIZE",
            description = "Memory of the trainers' GPUs, such as 24G. Default: that of this machine's device.")
    private Optional<String> deviceMemory;

    @Option(names = "--no-time", description = "Measures nothing.")
    private boolean noTime;

    @Mixin
    private OutputOption output;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        output.check();
        QuietLogging.install();
        Device device = Torch.defaultDevice();
        DeviceMemory memory = memory(device);
        RequestFile.Checked checked = RequestFile.read(request, Places.sources(), memory);
        Optional<MemoryCheck> check = checked.found().teacher().map(TeacherFiles::memoryCheck);
        Integer limit = checked.request().dataset().limit();
        Optional<Integer> pairs =
                checked.found().pairs().map(source -> size(source, limit == null ? Integer.MAX_VALUE : limit));
        int validationPairs = checked.found()
                .validationPairs()
                .map(source -> size(source, Integer.MAX_VALUE))
                .orElse(0);
        Optional<RunForecast> forecast = noTime || check.isEmpty() || pairs.isEmpty()
                ? Optional.empty()
                : Optional.of(RunForecast.of(checked.request(), pairs.get(), validationPairs, check.get(), device));
        Validation told = Validation.of(checked.request(), check, pairs, memory, forecast);
        spec.commandLine().getOut().println(output.of(told, request + " can be run.\n" + told.text()));
        return 0;
    }

    private static int size(PairSource pairs, long limit) {
        try {
            return Math.toIntExact(Math.min(pairs.size(), limit));
        } catch (IOException e) {
            throw UserException.failed("The pairs cannot be counted: " + e.getMessage(), e);
        }
    }

    private DeviceMemory memory(Device device) {
        if (deviceMemory.isEmpty()) {
            return DeviceMemory.of(device);
        }
        try {
            return new DeviceMemory(
                    true, new MemorySizeConverter().convert(deviceMemory.get()).asLongValue());
        } catch (IllegalArgumentException e) {
            throw UserException.badInput("--device-memory must be a size such as 24G but is " + deviceMemory.get());
        }
    }
}
