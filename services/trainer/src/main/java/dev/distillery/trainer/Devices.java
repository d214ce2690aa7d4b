package dev.distillery.trainer;

import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

import ai.djl.Device;
import dev.distillery.diffusion.tensor.Torch;

/** Devices by PyTorch's names. */
final class Devices {

    private static final Pattern CUDA = Pattern.compile("cuda:(\\d{1,2})");

    private Devices() {}

    /**
     * Those of these names, or all GPUs, or the CPU where there is none.
     *
     * @throws IllegalArgumentException for a name that is none, or of a GPU that is not there
     */
    static List<Device> of(Optional<List<String>> names) {
        return names.map(given -> given.stream().map(Devices::named).toList()).orElseGet(Torch::devices);
    }

    /** As {@code cuda:0} or {@code cpu}. */
    static String name(Device device) {
        return device.isGpu() ? "cuda:" + device.getDeviceId() : "cpu";
    }

    private static Device named(String name) {
        Matcher cuda = CUDA.matcher(name);
        Device device = cuda.matches() ? Device.gpu(Integer.parseInt(cuda.group(1))) : Device.cpu();
        boolean known = name.equals("cpu") || cuda.matches() && Torch.devices().contains(device);
        if (!known) {
            throw new IllegalArgumentException("'distillery.trainer.devices' must be of "
                    + Stream.concat(Stream.of("cpu"), Torch.devices().stream().map(Devices::name))
                            .distinct()
                            .toList()
                    + " but had '" + name + "'");
        }
        return device;
    }
}
