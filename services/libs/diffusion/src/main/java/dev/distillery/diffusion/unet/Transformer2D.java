package dev.distillery.diffusion.unet;

import java.util.ArrayList;
import java.util.List;

import ai.djl.ndarray.NDArray;
import dev.distillery.diffusion.lora.Lora;
import dev.distillery.diffusion.tensor.Weights;

/**
 * Transformer over the tokens of a feature map: self attention, cross attention to the prompt, gated feed-forward.
 *
 * @see <a href="https://github.com/huggingface/diffusers/blob/v0.35.1/src/diffusers/models/transformers/transformer_2d.py#L327">
 *     Transformer2DModel.forward</a>
 */
final class Transformer2D {
    private final List<NDArray> in; // norm, proj_in
    private final List<Block> blocks;
    private final List<NDArray> out; // proj_out
    private final int heads;
    private final int groups;

    /** Weights in the order that ops.py documents. */
    private record Block(List<NDArray> selfAttention, List<NDArray> rest) {}

    Transformer2D(Weights w, UNetConfig config, UNetConfig.Level level, int depth) {
        int c = level.channels();
        long[] projection = config.linearProjection() ? new long[] {c, c} : new long[] {c, c, 1, 1};
        in = new ArrayList<>(w.takePair("norm", c));
        in.addAll(w.takePair("proj_in", projection));
        blocks = new ArrayList<>();
        for (int i = 0; i < depth; i++) {
            blocks.add(block(w.at("transformer_blocks").at(i), c, config.crossAttentionDim()));
        }
        out = w.takePair("proj_out", projection);
        heads = level.heads();
        groups = config.groups();
    }

    private static Block block(Weights w, int c, int contextWidth) {
        var first = new ArrayList<>(w.takePair("norm1", c));
        first.addAll(attention(w.at("attn1"), c, c));
        first.addAll(Lora.take(w.at("attn1"), List.of("to_q", "to_k", "to_v", "to_out.0")));
        var rest = new ArrayList<>(w.takePair("norm2", c));
        rest.addAll(attention(w.at("attn2"), c, contextWidth));
        rest.addAll(w.takePair("norm3", c));
        rest.addAll(w.takePair("ff.net.0.proj", 8L * c, c)); // value and gate, each 4c wide
        rest.addAll(w.takePair("ff.net.2", c, 4L * c));
        rest.addAll(Lora.take(
                w, List.of("attn2.to_q", "attn2.to_k", "attn2.to_v", "attn2.to_out.0", "ff.net.0.proj", "ff.net.2")));
        return new Block(List.copyOf(first), List.copyOf(rest));
    }

    private static List<NDArray> attention(Weights w, int c, int contextWidth) {
        var list = new ArrayList<NDArray>();
        list.add(w.take("to_q.weight", c, c));
        list.add(w.take("to_k.weight", c, contextWidth));
        list.add(w.take("to_v.weight", c, contextWidth));
        list.addAll(w.takePair("to_out.0", c, c));
        return list;
    }

    /** {@code x (B, C, H, W)} and the prompt {@code (B, L, D)} -> {@code (B, C, H, W)}. */
    int addTo(Units units, String name, int x) {
        int tokens = units.add(name + ".proj_in", "to_tokens", in, List.of(groups), x); // (B, H*W, C)
        for (int i = 0; i < blocks.size(); i++) {
            Block block = blocks.get(i);
            String at = name + ".transformer_blocks." + i;
            // without the residual, as KOALA compares it
            int attended = units.add(at + ".attn1", "self_attention", block.selfAttention, List.of(heads), tokens);
            tokens = units.add(at, "transformer_block", block.rest, List.of(heads), tokens, attended, Units.PROMPT);
        }
        return units.add(name, "from_tokens", out, List.of(), tokens, x);
    }
}
