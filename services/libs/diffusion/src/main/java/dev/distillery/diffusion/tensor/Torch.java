package dev.distillery.diffusion.tensor;

import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.Optional;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.JniUtils;
import ai.djl.util.cuda.CudaUtils;
import com.sun.management.OperatingSystemMXBean;

/** PyTorch's process-wide switches: start-up, threads, autograd mode and random numbers. */
public final class Torch {
    private static final Engine ENGINE = start();

    private Torch() {}

    private static Engine start() {
        OpenMp.spinBriefly();
        return Engine.getEngine("PyTorch");
    }

    /** A root scope on the default device; the caller closes it. */
    public static NDManager newManager() {
        return ENGINE.newBaseManager();
    }

    /** A root scope on {@code device}; the caller closes it. */
    public static NDManager newManager(Device device) {
        return ENGINE.newBaseManager(device);
    }

    /** The first GPU, or the CPU where there is none. */
    public static Device defaultDevice() {
        return ENGINE.defaultDevice();
    }

    /** All the memory of a device: on the CPU that of the machine, or of the container if that has less. */
    public static long memoryBytes(Device device) {
        if (device.isGpu()) {
            return CudaUtils.getGpuMemory(device).getMax();
        }
        var system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        return system.getTotalMemorySize();
    }

    /** Memory of a GPU that is in use, by this process or others. */
    public static long usedMemoryBytes(Device gpu) {
        return CudaUtils.getGpuMemory(gpu).getUsed();
    }

    /** All GPUs, or the CPU where there is none. */
    public static List<Device> devices() {
        return List.of(ENGINE.getDevices());
    }

    /**
     * Makes this thread run the operators' text as it stands. The profiling executor would specialise and fuse it per shape:
     * U-Nets have many shapes, so it compiles for a minute, and fused arithmetic would differ from PyTorch's eager mode.
     * libtorch keeps this switch for each thread.
     */
    static void eager() {
        JniUtils.setGraphExecutorOptimize(false);
    }

    /** A root scope in the host's memory; the caller closes it. */
    public static NDManager newCpuManager() {
        return ENGINE.newBaseManager(Device.cpu());
    }

    /** The default device, as {@code PyTorch 2.7.1, CPU, 2 threads}. */
    public static String describe() {
        return describe(defaultDevice());
    }

    /** The same of another device. */
    public static String describe(Device device) {
        return "PyTorch " + ENGINE.getVersion()
                + (device.isGpu() ? ", GPU" : ", CPU, " + JniUtils.getNumThreads() + " threads");
    }

    /** How many threads an operator uses; process-wide. */
    public static void setThreads(int threads) {
        JniUtils.setNumThreads(threads);
    }

    /**
     * Standard normal numbers in {@code scope}, float32: those of {@code torch.manual_seed(seed)} and {@code torch.randn} on the
     * CPU, whatever the scope's device, so that a picture is the same on each. The generator is the process's: two threads
     * must not draw at once.
     */
    public static NDArray normal(long seed, Shape shape, NDManager scope) {
        JniUtils.setSeed(seed);
        try (NDManager host = scope.newSubManager(Device.cpu())) {
            NDArray drawn = host.randomNormal(shape).toDevice(scope.getDevice(), false);
            drawn.attach(scope);
            return drawn;
        }
    }

    /** Returns when the device has computed the array; the CPU always has. */
    public static void await(NDArray array) {
        if (array.getDevice().isGpu()) {
            Ops.allFinite(array);
        }
    }

    /** Autograd on or off for this thread until the result is closed, when the former mode comes back. */
    public static GradMode gradMode(boolean on) {
        boolean before = JniUtils.isGradMode();
        JniUtils.setGradMode(on);
        return () -> JniUtils.setGradMode(before);
    }

    /** The scope of {@link #gradMode}. */
    public interface GradMode extends AutoCloseable {
        @Override
        void close();
    }

    /** A new handle of {@code array}'s memory at which gradients end, attached to {@code scope}. */
    public static NDArray leaf(NDArray array, NDManager scope) {
        NDArray leaf = array.stopGradient();
        leaf.attach(scope);
        leaf.setRequiresGradient(true);
        return leaf;
    }

    /** The gradient that has reached a leaf, if one has; DJL would answer with zeros otherwise. */
    public static Optional<NDArray> gradient(NDArray leaf) {
        return Optional.ofNullable(JniUtils.getGradient((PtNDArray) leaf));
    }

    /** Adds to the gradient of every leaf what follows from {@code gradients}, those at {@code outputs}. */
    public static void backward(List<NDArray> outputs, List<NDArray> gradients) {
        try (GradMode on = gradMode(true)) {
            Ops.call("backward", outputs, gradients);
        }
    }

    /** Adds {@code factor * d(loss)/d(leaf)} to the gradient of every leaf that the scalar {@code loss} depends on. */
    public static void backward(NDArray loss, double factor) {
        try (NDArray gradient = loss.getManager().create((float) factor)) {
            JniUtils.backward((PtNDArray) loss, (PtNDArray) gradient, false, false);
        }
    }
}
