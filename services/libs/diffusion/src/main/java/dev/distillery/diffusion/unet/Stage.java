package dev.distillery.diffusion.unet;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

import ai.djl.ndarray.NDArray;
import dev.distillery.diffusion.tensor.Weights;

/**
 * The layers of one down or up block: each a resnet, followed by a transformer where the level has attention.
 *
 * @see <a href="https://github.com/huggingface/diffusers/blob/v0.35.1/src/diffusers/models/unets/unet_2d_blocks.py#L1174">
 *     CrossAttnDownBlock2D, DownBlock2D, CrossAttnUpBlock2D, UpBlock2D</a>
 */
final class Stage {
    private record Layer(ResnetBlock resnet, Optional<Transformer2D> attention) {}

    private final List<Layer> layers = new ArrayList<>();

    /** @param inputs channels that each layer's resnet sees */
    Stage(Weights w, UNetConfig config, UNetConfig.Level level, List<Integer> inputs) {
        for (int i = 0; i < level.layers(); i++) {
            int depth = level.depths().get(i);
            var resnet = new ResnetBlock(w.at("resnets").at(i), config, inputs.get(i), level.channels());
            layers.add(new Layer(
                    resnet,
                    depth == 0
                            ? Optional.empty()
                            : Optional.of(new Transformer2D(w.at("attentions").at(i), config, level, depth))));
        }
    }

    int size() {
        return layers.size();
    }

    /** {@code x (B, Cin, H, W)}, {@code temb (B, T)}, {@code prompt (B, L, D)} -> {@code (B, C, H, W)}. */
    NDArray forward(int layer, NDArray x, NDArray temb, NDArray prompt) {
        Layer l = layers.get(layer);
        NDArray h = l.resnet.forward(x, temb);
        if (l.attention.isEmpty()) {
            return h;
        }
        try (h) {
            return l.attention.get().forward(h, prompt);
        }
    }
}
