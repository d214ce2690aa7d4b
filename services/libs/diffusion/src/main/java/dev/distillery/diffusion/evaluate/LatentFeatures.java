package dev.distillery.diffusion.evaluate;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import dev.distillery.diffusion.tensor.Ops;
import dev.distillery.diffusion.tensor.Torch;
import dev.distillery.diffusion.vae.AutoencoderKL;

/**
 * Pictures as the model's own auto-encoder sees them: their latents' means, averaged over the cells of a grid, so that there
 * are as many numbers whatever the size. For a Fréchet distance where no other network is at hand; its numbers compare students
 * of one teacher, not of another auto-encoder.
 */
public final class LatentFeatures {
    private static final int GRID = 8;

    private LatentFeatures() {}

    /** Pixels {@code (N, 3, H, W)} in [0, 1] to features {@code (N, C g g)}, g = 8 or the latents' side if that is less. */
    public static NDArray of(NDArray pixels, AutoencoderKL vae) {
        NDManager owner = pixels.getManager();
        try (NDManager scope = owner.newSubManager();
                Torch.GradMode off = Torch.gradMode(false)) {
            NDArray scaled = pixels.mul(2);
            scaled.attach(scope);
            NDArray latents = vae.encode(scaled.subi(1)).mean();
            Shape shape = latents.getShape();
            long grid = Math.min(GRID, Math.min(shape.get(2), shape.get(3)));
            NDArray features = Ops.call(
                    "averaged_over_grid", latents.muli((float) vae.config().scalingFactor()), grid);
            features.attach(owner);
            return features;
        }
    }
}
