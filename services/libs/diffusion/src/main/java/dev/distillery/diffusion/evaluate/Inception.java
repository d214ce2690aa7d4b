package dev.distillery.diffusion.evaluate;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import dev.distillery.diffusion.image.RgbImage;
import dev.distillery.diffusion.tensor.ScriptModule;

/**
 * The Inception network that FID and IS are defined by, in its TorchScript release {@code inception-2015-12-05.pt}. It takes
 * bytes of any size, and resizes and scales them itself, as TensorFlow's graph did.
 *
 * @see <a href="https://github.com/NVlabs/stylegan2-ada-pytorch/blob/main/metrics/frechet_inception_distance.py">
 *     stylegan2-ada, whose calls these are</a>
 */
public final class Inception implements AutoCloseable {
    private final ScriptModule module;

    private Inception(ScriptModule module) {
        this.module = module;
    }

    /** As {@link ScriptModule#load}. */
    public static Inception load(Path file, String sha256, NDManager manager) {
        return new Inception(ScriptModule.load(file, sha256, manager));
    }

    /** Images of one size as the network takes them: {@code (N, 3, H, W)} bytes. */
    public static NDArray bytes(List<RgbImage> images, NDManager scope) {
        int width = images.get(0).width();
        int height = images.get(0).height();
        ByteBuffer bytes = ByteBuffer.allocateDirect(Math.multiplyExact(3 * width * height, images.size()));
        images.forEach(image -> image.toChw(bytes));
        return scope.create(bytes.flip(), new Shape(images.size(), 3, height, width), DataType.UINT8);
    }

    /** What FID compares {@code (N, D)}, D = 2048: the last pooling layer. */
    public NDArray features(NDArray bytes) {
        return module.forward(bytes, true, false, false); // return_features, use_fp16, no_output_bias
    }

    /** What IS asks for {@code (N, C)}: probabilities of C = 1008 classes, of a last layer without its bias. */
    public NDArray probabilities(NDArray bytes) {
        return module.forward(bytes, false, false, true);
    }

    @Override
    public void close() {
        module.close();
    }
}
