package dev.distillery.diffusion.distill;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import ai.djl.ndarray.types.Shape;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.diffusion.distill.Layout.Kept;
import dev.distillery.diffusion.unet.UNet2DCondition;
import dev.distillery.diffusion.unet.UNetConfig;
import dev.distillery.diffusion.unet.UNetConfig.MidKind;

/**
 * A student as its layout defines it, before any weight is read.
 *
 * @param config what its {@code config.json} says
 * @param teacherKeys student key -> teacher key, for every parameter of the student, in the model's order
 * @param features the block outputs to compare
 */
public record Student(Layout layout, UNetConfig config, Map<String, String> teacherKeys, List<FeaturePair> features) {

    /** Names of outputs that should be alike. */
    public record FeaturePair(String teacher, String student) {}

    private static final Pattern LAYER =
            Pattern.compile("(down|up)_blocks\\.(\\d+)\\.(resnets|attentions)\\.(\\d+)\\.(.*)");

    /**
     * Plans a student.
     *
     * @throws IllegalArgumentException if the teacher does not have what the layout keeps
     */
    public static Student of(UNetConfig teacher, Layout layout) {
        UNetConfig config = config(teacher, layout);
        Map<String, Shape> teacherShapes = UNet2DCondition.parameterShapes(teacher);
        var keys = new LinkedHashMap<String, String>();
        UNet2DCondition.parameterShapes(config).forEach((key, shape) -> {
            String from = teacherKey(layout, key);
            if (!shape.equals(teacherShapes.get(from))) {
                throw new IllegalArgumentException("layout " + layout.name() + ": '" + key + "' " + shape
                        + " should come from the teacher's '" + from + "', which is " + teacherShapes.get(from));
            }
            keys.put(key, from);
        });
        return new Student(layout, config, Collections.unmodifiableMap(keys), features(config));
    }

    /** How many numbers a U-Net of this config learns. */
    public static long parameterCount(UNetConfig config) {
        return UNet2DCondition.parameterShapes(config).values().stream()
                .mapToLong(Shape::size)
                .sum();
    }

    private static String teacherKey(Layout layout, String key) {
        Matcher m = LAYER.matcher(key);
        if (!m.matches()) {
            return key;
        }
        Kept kept = (m.group(1).equals("down") ? layout.down() : layout.up()).get(Integer.parseInt(m.group(2)));
        return m.group(1) + "_blocks." + m.group(2) + "." + m.group(3) + "."
                + kept.layers().get(Integer.parseInt(m.group(4))) + "." + m.group(5);
    }

    /**
     * Every block with its like. A student without a mid block learns the teacher's mid output at its last down block,
     * in place of that block's own pair.
     */
    private static List<FeaturePair> features(UNetConfig student) {
        boolean mid = student.mid().kind() != MidKind.NONE;
        int last = student.levels() - 1;
        var pairs = new ArrayList<FeaturePair>();
        for (int i = 0; i <= last; i++) {
            String block = "down_blocks." + i;
            pairs.add(new FeaturePair(mid || i < last ? block : "mid_block", block));
        }
        if (mid) {
            pairs.add(new FeaturePair("mid_block", "mid_block"));
        }
        for (int i = 0; i <= last; i++) {
            pairs.add(new FeaturePair("up_blocks." + i, "up_blocks." + i));
        }
        return List.copyOf(pairs);
    }

    private static UNetConfig config(UNetConfig teacher, Layout layout) {
        if (layout.down().size() != teacher.levels()) {
            throw new IllegalArgumentException("layout " + layout.name() + " is for a U-Net of "
                    + layout.down().size() + " levels, but the teacher has " + teacher.levels());
        }
        ObjectNode json = teacher.json().deepCopy();
        int[] layers = layout.down().stream().mapToInt(k -> k.layers().size()).toArray();
        if (Arrays.stream(layers).distinct().count() == 1) {
            json.put("layers_per_block", layers[0]);
        } else {
            ArrayNode list = json.putArray("layers_per_block");
            Arrays.stream(layers).forEach(list::add);
        }
        json.put("mid_block_type", layout.mid().kind().type());
        depths(json, teacher, layout);
        return UNetConfig.of(json);
    }

    /** Writes the transformer depths only where they differ from the teacher's, so that plain configs stay plain. */
    private static void depths(ObjectNode json, UNetConfig teacher, Layout layout) {
        var down = new ArrayList<List<Integer>>();
        var up = new ArrayList<List<Integer>>();
        for (int i = 0; i < teacher.levels(); i++) {
            down.add(depths(teacher.down().get(i), layout.down().get(i)));
            up.add(depths(teacher.up().get(i), layout.up().get(i)));
        }
        boolean asTeacher = layout.mid().depth() <= 0
                && allAsTeacher(layout.down())
                && allAsTeacher(layout.up())
                && !teacher.json().path("reverse_transformer_layers_per_block").isArray();
        if (asTeacher) {
            return;
        }
        JsonNode before = teacher.json().path("transformer_layers_per_block");
        ArrayNode downJson = json.putArray("transformer_layers_per_block");
        ArrayNode upJson = json.putArray("reverse_transformer_layers_per_block");
        boolean mirrored = true;
        for (int i = 0; i < teacher.levels(); i++) {
            int level = i;
            add(
                    downJson,
                    down.get(i),
                    () -> before.isArray() ? before.get(level).asInt() : before.asInt(1));
        }
        for (int i = 0; i < teacher.levels(); i++) {
            int level = teacher.levels() - 1 - i;
            add(upJson, up.get(i), () -> downJson.get(level).asInt());
            mirrored &= upJson.get(i).equals(downJson.get(level));
        }
        if (mirrored) {
            json.putNull("reverse_transformer_layers_per_block");
        }
    }

    private static boolean allAsTeacher(List<Kept> blocks) {
        return blocks.stream().flatMap(k -> k.depths().stream()).allMatch(d -> d == Layout.AS_TEACHER);
    }

    private static List<Integer> depths(UNetConfig.Level teacher, Kept kept) {
        var depths = new ArrayList<Integer>();
        for (int i = 0; i < kept.layers().size(); i++) {
            int own = teacher.depths().get(kept.layers().get(i));
            int wanted = kept.depths().get(i);
            if (wanted > own) {
                throw new IllegalArgumentException(
                        "a layout wants " + wanted + " transformer blocks where the teacher has " + own);
            }
            depths.add(wanted == Layout.AS_TEACHER ? own : wanted);
        }
        return depths;
    }

    /** One number where the layers agree, else a list; a block without attention keeps its unused number. */
    private static void add(ArrayNode to, List<Integer> depths, java.util.function.IntSupplier unused) {
        if (depths.stream().allMatch(d -> d == 0)) {
            to.add(unused.getAsInt());
        } else if (depths.stream().distinct().count() == 1) {
            to.add(depths.get(0));
        } else {
            ArrayNode list = to.addArray();
            depths.forEach(list::add);
        }
    }
}
