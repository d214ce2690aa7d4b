package dev.distillery.diffusion.vae;

import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

import ai.djl.ndarray.NDArray;
import dev.distillery.diffusion.tensor.Ops;
import dev.distillery.diffusion.tensor.Weights;

/**
 * The blocks of encoder and decoder as functions of one feature map; a network is a list of them.
 *
 * @see <a href="https://github.com/huggingface/diffusers/blob/v0.35.1/src/diffusers/models/autoencoders/vae.py#L58">
 *     Encoder, Decoder</a>
 */
final class VaeBlocks {
    private VaeBlocks() {}

    /** {@code (B, in, H, W) -> (B, out, H, W)}. */
    static UnaryOperator<NDArray> resnet(Weights w, int groups, int in, int out) {
        var weights = new ArrayList<NDArray>();
        weights.addAll(w.takePair("norm1", in));
        weights.addAll(w.takePair("conv1", out, in, 3, 3));
        weights.addAll(w.takePair("norm2", out));
        weights.addAll(w.takePair("conv2", out, out, 3, 3));
        if (in != out) {
            weights.addAll(w.takePair("conv_shortcut", out, in, 1, 1));
        }
        return x -> Ops.call("vae_resnet", x, weights, groups);
    }

    /** Resnet, attention where there is one, resnet. */
    static List<UnaryOperator<NDArray>> mid(Weights w, VaeConfig config, int c) {
        var blocks = new ArrayList<UnaryOperator<NDArray>>();
        blocks.add(resnet(w.at("resnets").at(0), config.groups(), c, c));
        if (config.midAttention()) {
            blocks.add(attention(w.at("attentions").at(0), config.groups(), c));
        }
        blocks.add(resnet(w.at("resnets").at(1), config.groups(), c, c));
        return blocks;
    }

    private static UnaryOperator<NDArray> attention(Weights w, int groups, int c) {
        // files from before diffusers 0.15 have the older names
        boolean old = w.has("query.weight");
        var weights = new ArrayList<>(w.takePair("group_norm", c));
        for (String name :
                old ? List.of("query", "key", "value", "proj_attn") : List.of("to_q", "to_k", "to_v", "to_out.0")) {
            weights.addAll(w.takePair(name, c, c));
        }
        return x -> Ops.call("vae_attention", x, weights, groups);
    }

    static UnaryOperator<NDArray> conv(Weights w, String name, int in, int out, int kernel) {
        List<NDArray> conv = w.takePair(name, out, in, kernel, kernel);
        return x -> Ops.conv(x, conv.get(0), conv.get(1));
    }

    /** Halves height and width. */
    static UnaryOperator<NDArray> downsample(Weights w, int c) {
        List<NDArray> conv = w.at("downsamplers").at(0).takePair("conv", c, c, 3, 3);
        return x -> Ops.call("vae_downsample", x, conv.get(0), conv.get(1));
    }

    /** Doubles height and width. */
    static UnaryOperator<NDArray> upsample(Weights w, int c) {
        List<NDArray> conv = w.at("upsamplers").at(0).takePair("conv", c, c, 3, 3);
        return x -> Ops.call("upsample_twice", x, conv.get(0), conv.get(1));
    }

    /** Norm, SiLU and the last convolution. */
    static UnaryOperator<NDArray> head(Weights w, int groups, int in, int out) {
        var weights = new ArrayList<>(w.takePair("conv_norm_out", in));
        weights.addAll(w.takePair("conv_out", out, in, 3, 3));
        return x -> Ops.call("group_norm_silu_conv", x, weights, groups, 1e-6);
    }
}
