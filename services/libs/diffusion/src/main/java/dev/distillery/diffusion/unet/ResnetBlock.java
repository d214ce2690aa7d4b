package dev.distillery.diffusion.unet;

import java.util.ArrayList;
import java.util.List;

import ai.djl.ndarray.NDArray;
import dev.distillery.diffusion.tensor.Weights;

/**
 * Residual block with the time embedding added in the middle.
 *
 * @see <a href="https://github.com/huggingface/diffusers/blob/v0.35.1/src/diffusers/models/resnet.py#L184">ResnetBlock2D</a>
 */
final class ResnetBlock {
    private final List<NDArray> weights; // in the order that ops.py documents
    private final int groups;
    private final double eps;

    ResnetBlock(Weights w, UNetConfig config, int in, int out) {
        var list = new ArrayList<NDArray>();
        list.addAll(w.takePair("norm1", in));
        list.addAll(w.takePair("conv1", out, in, 3, 3));
        list.addAll(w.takePair("time_emb_proj", out, config.timeEmbedDim()));
        list.addAll(w.takePair("norm2", out));
        list.addAll(w.takePair("conv2", out, out, 3, 3));
        if (in != out) {
            list.addAll(w.takePair("conv_shortcut", out, in, 1, 1));
        }
        this.weights = List.copyOf(list);
        this.groups = config.groups();
        this.eps = config.eps();
    }

    /** {@code x (B, in, H, W)}, {@code temb (B, T)} -> {@code (B, out, H, W)}. */
    int addTo(Units units, String name, int x, int temb) {
        return units.add(name, "resnet", weights, List.of(groups, eps), x, temb);
    }

    /** The same of {@code x} beside {@code skip}, which together have {@code in} channels. */
    int addTo(Units units, String name, int x, int skip, int temb) {
        return units.add(name, "resnet_with_skip", weights, List.of(groups, eps), x, skip, temb);
    }
}
