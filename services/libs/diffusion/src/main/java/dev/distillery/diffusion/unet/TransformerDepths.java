package dev.distillery.diffusion.unet;

import java.util.List;
import java.util.function.IntUnaryOperator;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

/** How a {@code config.json} says how many transformer blocks follow each resnet: as short as diffusers understands it. */
public final class TransformerDepths {
    private TransformerDepths() {}

    /**
     * Writes {@code transformer_layers_per_block}, and {@code reverse_transformer_layers_per_block} where the way up is not the
     * way down mirrored.
     *
     * @param down of each layer, by level from the outermost inwards
     * @param up of each layer, by level from the innermost outwards
     * @param unused the number that a level of {@code down} without attention gets; the mid block has the innermost level's
     */
    public static void write(
            ObjectNode json, List<List<Integer>> down, List<List<Integer>> up, IntUnaryOperator unused) {
        ArrayNode downJson = json.putArray("transformer_layers_per_block");
        ArrayNode upJson = json.putArray("reverse_transformer_layers_per_block");
        int levels = down.size();
        boolean mirrored = true;
        for (int i = 0; i < levels; i++) {
            add(downJson, down.get(i), unused.applyAsInt(i));
        }
        for (int i = 0; i < levels; i++) {
            int level = levels - 1 - i;
            add(upJson, up.get(i), downJson.get(level).asInt());
            mirrored &= upJson.get(i).equals(downJson.get(level));
        }
        if (mirrored) {
            json.putNull("reverse_transformer_layers_per_block");
        }
    }

    /** One number where the layers agree, else a list; a block without attention keeps its unused number. */
    private static void add(ArrayNode to, List<Integer> depths, int unused) {
        if (depths.stream().allMatch(d -> d == 0)) {
            to.add(unused);
        } else if (depths.stream().distinct().count() == 1) {
            to.add(depths.get(0));
        } else {
            ArrayNode list = to.addArray();
            depths.forEach(list::add);
        }
    }
}
