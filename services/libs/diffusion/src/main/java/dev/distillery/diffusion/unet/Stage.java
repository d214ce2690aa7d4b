package dev.distillery.diffusion.unet;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

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

    /** {@code x (B, Cin, H, W)}, {@code temb (B, T)} -> {@code (B, C, H, W)}. */
    int addTo(Units units, String block, int layer, int x, int temb) {
        Layer l = layers.get(layer);
        int h = l.resnet.addTo(units, block + ".resnets." + layer, x, temb);
        return attended(units, block, layer, h);
    }

    /** The same, where {@code x} is seen beside the skip connection of its depth, in the channels. */
    int addTo(Units units, String block, int layer, int x, int skip, int temb) {
        Layer l = layers.get(layer);
        int h = l.resnet.addTo(units, block + ".resnets." + layer, x, skip, temb);
        return attended(units, block, layer, h);
    }

    private int attended(Units units, String block, int layer, int h) {
        return layers.get(layer)
                .attention
                .map(attention -> attention.addTo(units, block + ".attentions." + layer, h))
                .orElse(h);
    }
}
