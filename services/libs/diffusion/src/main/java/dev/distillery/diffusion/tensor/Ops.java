package dev.distillery.diffusion.tensor;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.engine.PtSymbolBlock;
import ai.djl.pytorch.jni.IValueUtils;
import ai.djl.pytorch.jni.JniUtils;

/**
 * Calls into {@code ops.py}: blocks and operators that run inside libtorch. Autograd follows the thread's
 * {@linkplain Torch#gradMode mode}. Every result is attached to the manager of the call's first argument.
 *
 * <p>Not for two threads at once on the same arrays: an argument's place in the call is passed by naming the array.
 */
public final class Ops {
    // As long as the process, and on the CPU: a number that lay on a GPU would make it wait whenever it is read.
    private static final NDManager MANAGER = Torch.newCpuManager();
    private static final PtSymbolBlock SCRIPT = load();
    private static final Map<Double, NDArray> NUMBERS = new ConcurrentHashMap<>();
    private static final ThreadLocal<Boolean> EAGER = ThreadLocal.withInitial(() -> {
        Torch.eager();
        return true;
    });

    private Ops() {}

    private static PtSymbolBlock load() {
        try (InputStream text = Ops.class.getResourceAsStream("ops.py")) {
            String source = new String(text.readAllBytes(), StandardCharsets.UTF_8);
            return JniUtils.loadModule((PtNDManager) MANAGER, TorchScript.archive(source), true, false);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Runs one method of {@code ops.py}.
     *
     * @param arguments in the order of the text: {@link NDArray}, {@code List<NDArray>} (not empty) or {@link Number}
     */
    public static NDArray call(String method, Object... arguments) {
        EAGER.get();
        var inputs = new NDList(arguments.length + 1);
        for (int i = 0; i < arguments.length; i++) {
            add(inputs, arguments[i], i + "[]");
        }
        try (NDArray name = MANAGER.create(0f)) {
            name.setName("module_method:" + method);
            inputs.add(name);
            return IValueUtils.forward(SCRIPT, inputs, true).head();
        }
    }

    private static void add(NDList inputs, Object argument, String listName) {
        if (argument instanceof NDArray array) {
            array.setName(null);
            inputs.add(array);
        } else if (argument instanceof Number number) {
            inputs.add(NUMBERS.computeIfAbsent(number.doubleValue(), Ops::constant));
        } else {
            for (Object element : (List<?>) argument) {
                NDArray array = (NDArray) element;
                array.setName(listName);
                inputs.add(array);
            }
        }
    }

    /** Float64 holds every int and float that the text reads. */
    private static NDArray constant(double value) {
        return MANAGER.create(value);
    }

    /** {@code x (..., in)}, {@code w (out, in)}, {@code b (out)} -> {@code (..., out)}. */
    public static NDArray linear(NDArray x, NDArray w, NDArray b) {
        return call("linear", x, w, b);
    }

    /** 3x3 with padding 1, or 1x1: {@code (B, C, H, W) -> (B, C', H, W)}. */
    public static NDArray conv(NDArray x, NDArray w, NDArray b) {
        return call("conv", x, w, b);
    }

    /** Mean square error of two arrays of one shape, a scalar in float32. */
    public static NDArray mse(NDArray x, NDArray y) {
        return call("mse", x, y);
    }

    /** The global norm of gradients, which are scaled in place to at most {@code limit}; a scalar. */
    public static NDArray clipGradNorm(List<NDArray> gradients, double limit) {
        return call("clip_grad_norm", gradients, limit);
    }

    /** Adds {@code part} to {@code sum}, in place, whatever their type. */
    public static void add(NDArray sum, NDArray part) {
        call("add_to", sum, part).close();
    }

    /** Adds each of {@code parts}, which may be on another device, to its place in {@code sums}, in place. */
    public static void addAll(List<NDArray> sums, List<NDArray> parts) {
        call("add_all", sums, parts).close();
    }

    /** Whether no element is infinite or not a number. */
    public static boolean allFinite(NDArray x) {
        try (NDArray finite = call("all_finite", x)) {
            return finite.getBoolean();
        }
    }

    /** Sets every array to zero, in place. */
    public static void zero(List<NDArray> arrays) {
        call("zero", arrays).close();
    }

    /**
     * Overwrites the values of {@code to} with those of {@code from}, in place. DJL's {@code NDArray.set} does not do
     * that: it makes the array an alias of the buffer that it is given, which nothing then keeps alive.
     */
    public static void copy(List<NDArray> to, List<NDArray> from) {
        try (Torch.GradMode off = Torch.gradMode(false)) {
            call("copy", to, from).close();
        }
    }
}
