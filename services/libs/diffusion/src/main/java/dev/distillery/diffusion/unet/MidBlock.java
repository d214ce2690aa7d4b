package dev.distillery.diffusion.unet;

import java.util.Optional;

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

    /** {@code x (B, C, H, W)}, {@code temb (B, T)} -> {@code (B, C, H, W)}. */
    int addTo(Units units, String name, int x, int temb) {
        int h = first.addTo(units, name + ".resnets.0", x, temb);
        if (tail.isEmpty()) {
            return h;
        }
        int attended = tail.get().attention.addTo(units, name + ".attentions.0", h);
        return tail.get().resnet.addTo(units, name + ".resnets.1", attended, temb);
    }
}
