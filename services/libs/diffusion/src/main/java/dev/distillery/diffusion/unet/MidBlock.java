package dev.distillery.diffusion.unet;

import java.util.Optional;

import ai.djl.ndarray.NDArray;
import dev.distillery.diffusion.tensor.Weights;

/**
 * The innermost block: resnet, transformer, resnet; or one resnet alone.
 *
 * @see <a href="https://github.com/huggingface/diffusers/blob/v0.35.1/src/diffusers/models/unets/unet_2d_blocks.py#L757">
 *     UNetMidBlock2DCrossAttn</a>
 */
final class MidBlock {
    private record Tail(Transformer2D attention, ResnetBlock resnet) {}

    private final ResnetBlock first;
    private final Optional<Tail> tail;

    MidBlock(Weights w, UNetConfig config) {
        UNetConfig.Level inner = config.down().get(config.levels() - 1);
        int c = inner.channels();
        first = new ResnetBlock(w.at("resnets").at(0), config, c, c);
        tail = config.mid().kind() == UNetConfig.MidKind.RESNET
                ? Optional.empty()
                : Optional.of(new Tail(
                        new Transformer2D(
                                w.at("attentions").at(0),
                                config,
                                inner,
                                config.mid().depth()),
                        new ResnetBlock(w.at("resnets").at(1), config, c, c)));
    }

    /** {@code x (B, C, H, W)}, {@code temb (B, T)}, {@code prompt (B, L, D)} -> {@code (B, C, H, W)}. */
    NDArray forward(NDArray x, NDArray temb, NDArray prompt) {
        NDArray h = first.forward(x, temb);
        if (tail.isEmpty()) {
            return h;
        }
        try (h;
                NDArray attended = tail.get().attention.forward(h, prompt)) {
            return tail.get().resnet.forward(attended, temb);
        }
    }
}
