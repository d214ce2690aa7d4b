package dev.distillery.diffusion.unet;

import java.util.ArrayList;
import java.util.List;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import dev.distillery.diffusion.unet.Tape.Value;

/** The units' methods of {@code ops.py} over shapes, line by line. */
final class UnitTapes {
    private final Tape tape;

    UnitTapes(Tape tape) {
        this.tape = tape;
    }

    /** Writes a unit's operators; answers with its output. */
    Value add(Units.Unit unit, List<Value> in) {
        List<Shape> w = unit.weights().stream().map(NDArray::getShape).toList();
        return switch (unit.method()) {
            case "conv_in" -> tape.conv(in.get(0), w.get(0), 1);
            case "embedding_mlp" -> mlp(in.get(0), w);
            case "add_embedding" -> tape.plus(in.get(0), mlp(in.get(1), w));
            case "resnet" -> resnet(in.get(0), in.get(1), w);
            case "resnet_with_skip" -> resnet(tape.concat(in.get(0), in.get(1)), in.get(2), w);
            case "downsample" -> tape.conv(in.get(0), w.get(0), 2);
            case "upsample" -> upsample(in.get(0), in.get(1), w);
            case "to_tokens" -> toTokens(in.get(0), w);
            case "self_attention" -> selfAttention(in.get(0), w);
            case "transformer_block" -> transformerBlock(in.get(0), in.get(1), in.get(2), w);
            case "from_tokens" -> fromTokens(in.get(0), in.get(1), w);
            case "group_norm_silu_conv" -> tape.conv(normed(in.get(0)), w.get(2), 1);
            default -> throw new IllegalStateException("What does a unit '" + unit.method() + "' cost?");
        };
    }

    private Value mlp(Value x, List<Shape> w) {
        return tape.linear(tape.activation(tape.linear(x, w.get(0), true)), w.get(2), true);
    }

    private Value normed(Value x) {
        return tape.activation(tape.norm(x, x.size(1)));
    }

    private Value resnet(Value x, Value temb, List<Shape> w) {
        Value h = tape.conv(normed(x), w.get(2), 1);
        Value t = tape.linear(tape.activation(temb), w.get(4), true); // (B, C)
        Value h1 = tape.conv(normed(tape.plus(h, t)), w.get(8), 1);
        return tape.plus(w.size() > 10 ? tape.conv(x, w.get(10), 1) : x, h1);
    }

    private Value upsample(Value x, Value like, List<Shape> w) {
        return tape.conv(tape.copy(x, x.size(0), x.size(1), like.size(2), like.size(3)), w.get(0), 1);
    }

    private Value toTokens(Value x, List<Shape> w) {
        Value normed = tape.norm(x, x.size(1));
        if (w.get(2).dimension() == 4) {
            return tokens(tape.conv(normed, w.get(2), 1));
        }
        Value tokens = tokens(normed);
        return tape.linear(tape.copy(tokens, tokens.shape().getShape()), w.get(2), true);
    }

    /** {@code (B, C, H, W) -> (B, H*W, C)}. */
    private static Value tokens(Value x) {
        return Tape.view(x, x.size(0), x.size(2) * x.size(3), x.size(1));
    }

    private Value fromTokens(Value tokens, Value residual, List<Shape> w) {
        long[] map = residual.shape().getShape();
        Value h = w.get(0).dimension() == 4
                ? tape.conv(tape.copy(tokens, map), w.get(0), 1)
                : tape.copy(tape.linear(tokens, w.get(0), true), map);
        return tape.plus(h, residual);
    }

    private Value attention(Value x, Value context, List<Shape> w) {
        Value q = tape.linear(x, w.get(0), false);
        Value k = tape.linear(context, w.get(1), false);
        Value v = tape.linear(context, w.get(2), false);
        return tape.linear(tape.attention(q, k, v), w.get(3), true);
    }

    private Value selfAttention(Value x, List<Shape> w) {
        Value n = tape.norm(x, x.size(2));
        return attention(n, n, w.subList(2, 7));
    }

    private Value transformerBlock(Value x, Value attended, Value context, List<Shape> w) {
        long c = x.size(2);
        Value x1 = tape.plus(attended, x);
        Value x2 = tape.plus(attention(tape.norm(x1, c), context, w.subList(2, 7)), x1);
        Value both = tape.linear(tape.norm(x2, c), w.get(9), true); // (B, L, 8C)
        Value value = Tape.view(both, x.size(0), x.size(1), 4 * c);
        return tape.plus(tape.linear(tape.times(value, tape.activation(value)), w.get(11), true), x2);
    }

    /**
     * A whole network.
     *
     * @param outputs by place
     * @param ends of each place, how many operators there are when it is done
     */
    record Network(Tape tape, List<Value> outputs, List<Integer> ends) {

        static Network of(Units units, Tape tape, UNetConfig config, StepCost.InputSize in) {
            List<Value> given = List.of(
                    tape.given(in.batch(), config.inChannels(), in.height(), in.width()),
                    tape.given(in.batch(), config.down().get(0).channels()),
                    tape.given(
                            in.batch(),
                            config.textTime()
                                    .map(UNetConfig.TextTime::inputWidth)
                                    .orElse(0)),
                    tape.given(in.batch(), in.tokens(), config.crossAttentionDim()));
            var writer = new UnitTapes(tape);
            var outputs = new ArrayList<>(given);
            var ends = new ArrayList<>(given.stream().map(value -> 0).toList());
            for (int place = Units.FIRST; place < units.size(); place++) {
                Units.Unit unit = units.get(place);
                outputs.add(writer.add(
                        unit, unit.inputs().stream().map(outputs::get).toList()));
                ends.add(tape.size());
            }
            return new Network(tape, outputs, ends);
        }
    }
}
