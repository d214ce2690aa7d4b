package dev.distillery.diffusion.tensor;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Locale;

import ai.djl.engine.EngineException;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.engine.PtSymbolBlock;
import ai.djl.pytorch.jni.IValue;
import ai.djl.pytorch.jni.JniUtils;

/**
 * A network that comes with its code, as a TorchScript archive ({@code torch.jit.save}), for inference.
 *
 * <p>Such an archive is a program, which libtorch runs with all the operators that it has, and its objects lie in it as a
 * pickle, which libtorch reads with a reader of its own that knows no Python. So none is taken from a model's folder or a
 * data set: only a file that the operator names, and only if its digest is the one that the operator names with it.
 */
public final class ScriptModule implements AutoCloseable {
    private final String name;
    private final PtSymbolBlock block;

    private ScriptModule(String name, PtSymbolBlock block) {
        this.name = name;
        this.block = block;
    }

    /**
     * Loads an archive whose content is known. What is loaded are the very bytes whose digest was taken.
     *
     * @param sha256 of the file, in hexadecimal
     * @param manager owner of the parameters, on whose device they will be
     * @throws IllegalArgumentException naming the file, if it has another digest or is no TorchScript archive
     */
    public static ScriptModule load(Path file, String sha256, NDManager manager) {
        try {
            byte[] archive = Files.readAllBytes(file);
            String actual = sha256(archive);
            if (!actual.equals(sha256.toLowerCase(Locale.ROOT))) {
                throw new IllegalArgumentException(
                        file + " must have the SHA-256 " + sha256 + " but has " + actual + ", so it is not run");
            }
            PtSymbolBlock block =
                    JniUtils.loadModule((PtNDManager) manager, new ByteArrayInputStream(archive), true, false);
            JniUtils.enableInferenceMode(block);
            return new ScriptModule(file.getFileName().toString(), block);
        } catch (IOException e) {
            throw new IllegalArgumentException(file + " cannot be read: " + e, e);
        } catch (EngineException e) {
            throw new IllegalArgumentException(file + " is no TorchScript archive: " + firstLine(e), e);
        }
    }

    private static String sha256(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e); // every JDK has it
        }
    }

    /**
     * Calls {@code forward}.
     *
     * @param flags the booleans that follow the tensor
     * @return attached to the manager of {@code x}
     * @throws IllegalArgumentException if the module takes other arguments, or fails
     */
    public NDArray forward(NDArray x, boolean... flags) {
        Torch.eager();
        IValue[] arguments = new IValue[1 + flags.length];
        arguments[0] = IValue.from((PtNDArray) x);
        for (int i = 0; i < flags.length; i++) {
            arguments[i + 1] = IValue.from(flags[i]);
        }
        try (Torch.GradMode off = Torch.gradMode(false);
                IValue answer = block.forward(arguments)) {
            return answer.toTensor((PtNDManager) x.getManager());
        } catch (EngineException e) {
            throw new IllegalArgumentException(name + " cannot be run: " + firstLine(e), e);
        } finally {
            for (IValue argument : arguments) {
                argument.close();
            }
        }
    }

    private static String firstLine(EngineException e) {
        return String.valueOf(e.getMessage()).lines().findFirst().orElse("");
    }

    @Override
    public void close() {
        block.close();
    }
}
