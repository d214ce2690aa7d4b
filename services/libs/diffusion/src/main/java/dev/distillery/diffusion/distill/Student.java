package dev.distillery.diffusion.distill;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

import ai.djl.ndarray.types.Shape;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.diffusion.distill.Layout.Kept;
import dev.distillery.diffusion.unet.TransformerDepths;
import dev.distillery.diffusion.unet.UNet2DCondition;
import dev.distillery.diffusion.unet.UNetConfig;

/**
 * A student as its layout defines it, before any weight is read.
 *
 * @param config what its {@code config.json} says
 * @param teacherKeys student key -> teacher key, for every parameter of the student, in the model's order
 */
public record Student(Layout layout, UNetConfig config, Map<String, String> teacherKeys) {

    private static final Pattern LAYER =
            Pattern.compile("(down|up)_blocks\\.(\\d+)\\.(resnets|attentions|downsamplers|upsamplers)\\.(\\d+)(.*)");

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
            String from = teacherName(teacher, layout, key);
            if (!shape.equals(teacherShapes.get(from))) {
                throw new IllegalArgumentException("layout " + layout.name() + ": '" + key + "' " + shape
                        + " should come from the teacher's '" + from + "', which is " + teacherShapes.get(from));
            }
            keys.put(key, from);
        });
        return new Student(layout, config, Collections.unmodifiableMap(keys));
    }

    /** The names of its units that match a pattern, in the order of the forward pass. */
    Stream<String> sites(String pattern) {
        return UNet2DCondition.sites(config).stream().filter(site -> site.matches(pattern));
    }

    /** How many numbers a U-Net of this config learns. */
    public static long parameterCount(UNetConfig config) {
        return UNet2DCondition.parameterShapes(config).values().stream()
                .mapToLong(Shape::size)
                .sum();
    }

    /** What the teacher calls a parameter or unit of the student. */
    static String teacherName(UNetConfig teacher, Layout layout, String key) {
        Matcher m = LAYER.matcher(key);
        if (!m.matches()) {
            return key;
        }
        boolean down = m.group(1).equals("down");
        int block = Integer.parseInt(m.group(2));
        int layer = Integer.parseInt(m.group(4));
        if (!m.group(3).endsWith("samplers")) {
            layer = (down ? layout.down() : layout.up()).get(block).layers().get(layer);
        }
        return m.group(1) + "_blocks." + (down ? block : block + levelsGone(teacher, layout)) + "." + m.group(3) + "."
                + layer + m.group(5);
    }

    /** The innermost ones. */
    private static int levelsGone(UNetConfig teacher, Layout layout) {
        return teacher.levels() - layout.down().size();
    }

    private static UNetConfig config(UNetConfig teacher, Layout layout) {
        int levels = layout.down().size();
        if (levels > teacher.levels()) {
            throw new IllegalArgumentException("layout " + layout.name() + " is for a U-Net of " + levels
                    + " levels, but the teacher has " + teacher.levels());
        }
        ObjectNode json = teacher.json().deepCopy();
        cutLevels(json, teacher.levels(), levels);
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

    /** Shortens every list that has an entry for each level. */
    private static void cutLevels(ObjectNode json, int from, int to) {
        json.fields().forEachRemaining(field -> {
            if (field.getValue() instanceof ArrayNode list && list.size() == from) {
                boolean innermostFirst =
                        field.getKey().startsWith("up_") || field.getKey().startsWith("reverse_");
                for (int i = from; i > to; i--) {
                    list.remove(innermostFirst ? 0 : i - 1);
                }
            }
        });
    }

    /** Writes the transformer depths only where they differ from the teacher's, so that plain configs stay plain. */
    private static void depths(ObjectNode json, UNetConfig teacher, Layout layout) {
        var down = new ArrayList<List<Integer>>();
        var up = new ArrayList<List<Integer>>();
        int levels = layout.down().size();
        for (int i = 0; i < levels; i++) {
            down.add(depths(teacher.down().get(i), layout.down().get(i)));
            up.add(depths(
                    teacher.up().get(i + levelsGone(teacher, layout)),
                    layout.up().get(i)));
        }
        boolean asTeacher = layout.mid().depth() <= 0
                && allAsTeacher(layout.down())
                && allAsTeacher(layout.up())
                && !teacher.json().path("reverse_transformer_layers_per_block").isArray();
        if (asTeacher) {
            return;
        }
        JsonNode before = teacher.json().path("transformer_layers_per_block");
        TransformerDepths.write(
                json, down, up, level -> before.isArray() ? before.get(level).asInt() : before.asInt(1));
    }

    private static boolean allAsTeacher(List<Kept> blocks) {
        return blocks.stream().flatMap(k -> k.depths().stream()).allMatch(d -> d == Layout.AS_TEACHER);
    }

    private static List<Integer> depths(UNetConfig.Level teacher, Kept kept) {
        var depths = new ArrayList<Integer>();
        for (int i = 0; i < kept.layers().size(); i++) {
            if (kept.layers().get(i) >= teacher.layers()) {
                throw new IllegalArgumentException(
                        "a layout keeps layer " + kept.layers().get(i)
                                + " of a block, counted from 0, where the teacher has " + teacher.layers());
            }
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
}
