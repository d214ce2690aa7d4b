package dev.distillery.diffusion.distill;

import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

import dev.distillery.diffusion.distill.Layout.Kept;
import dev.distillery.diffusion.distill.Layout.Mid;
import dev.distillery.diffusion.unet.UNetConfig;
import dev.distillery.diffusion.unet.UNetConfig.MidKind;

import static dev.distillery.diffusion.distill.Layout.AS_TEACHER;

/**
 * The layouts of the field, by family: the same word means different things in different families.
 *
 * <p>Notation of a row: blocks are parted by {@code |}; a block lists the teacher's layers that it keeps, with
 * {@code :depth} where a transformer becomes shallower. A row with fewer blocks than the teacher drops the innermost ones.
 */
public final class Layouts {
    /** The layout of any teacher that leaves nothing out. */
    public static final String TEACHER = "teacher";

    /** The layout that a user describes. */
    public static final String CUSTOM = "custom";

    private static final Mid WHOLE = new Mid(MidKind.CROSS_ATTENTION, AS_TEACHER);
    private static final Mid ONE_RESNET = new Mid(MidKind.RESNET, 0);
    private static final Mid NONE = new Mid(MidKind.NONE, 0);

    private static final List<Layout> ALL = List.of(
            layout("sdxl", "small", "0 | 0 | 0", WHOLE, "0 2 | 0 2 | 0 2"),
            layout("sdxl", "tiny", "0 | 0 | 0", NONE, "0 2 | 0 2 | 0 2"),
            layout("sdxl", "ssd-1b", "0 1 | 0 1 | 0:4 1:4", ONE_RESNET, "0:4 1:4 2 | 0 1:1 2:1 | 0 1 2"),
            layout("sdxl", "vega", "0 1 | 0:1 1:1 | 0:2 1:2", ONE_RESNET, "0:2 1:2 2:2 | 0:1 1:1 2:1 | 0 1 2"),
            layout("sdxl", "koala-1b", "0 | 0 | 0:6", new Mid(MidKind.CROSS_ATTENTION, 6), "0:6 2:6 | 0 2 | 0 2"),
            layout("sdxl", "koala-700m", "0 | 0 | 0:5", NONE, "0:5 2:5 | 0 2 | 0 2"),
            layout("sd1", "base", "0 | 0 | 0 | 0", WHOLE, "0 2 | 0 2 | 0 2 | 0 2"),
            layout("sd1", "small", "0 | 0 | 0 | 0", NONE, "0 2 | 0 2 | 0 2 | 0 2"),
            layout("sd1", "tiny", "0 | 0 | 0", NONE, "0 2 | 0 2 | 0 2"),
            layout("sd2", "base", "0 | 0 | 0 | 0", WHOLE, "0 2 | 0 2 | 0 2 | 0 2"),
            layout("sd2", "small", "0 | 0 | 0 | 0", NONE, "0 2 | 0 2 | 0 2 | 0 2"),
            layout("sd2", "tiny", "0 | 0 | 0", NONE, "0 2 | 0 2 | 0 2"));

    private Layouts() {}

    public static List<Layout> all() {
        return ALL;
    }

    /** {@code sdxl}, {@code sd1} or {@code sd2}, told by what only that family has. */
    public static String family(UNetConfig teacher) {
        return teacher.textTime().isPresent() ? "sdxl" : teacher.linearProjection() ? "sd2" : "sd1";
    }

    /** Every layout name of a family. */
    public static List<String> names(String family) {
        return ALL.stream()
                .filter(l -> l.family().equals(family))
                .map(Layout::name)
                .toList();
    }

    /** Keeps everything: for plain training, without a smaller student. */
    private static Layout whole(UNetConfig teacher) {
        return new Layout(
                family(teacher),
                TEACHER,
                whole(teacher.down()),
                new Mid(teacher.mid().kind(), AS_TEACHER),
                whole(teacher.up()));
    }

    private static List<Kept> whole(List<UNetConfig.Level> levels) {
        return levels.stream()
                .map(level -> new Kept(
                        IntStream.range(0, level.layers()).boxed().toList(),
                        Collections.nCopies(level.layers(), AS_TEACHER)))
                .toList();
    }

    /**
     * A layout by name, or the one that is described.
     *
     * @param keep of layout {@code custom}: the blocks that stay, by the teacher's keys, each with its layers; else empty
     * @throws IllegalArgumentException saying what is wrong and what there is
     */
    public static Layout of(UNetConfig teacher, String name, Map<String, String> keep) {
        return name.equals(CUSTOM) ? CustomLayout.of(teacher, keep) : named(teacher, name);
    }

    /** @throws IllegalArgumentException naming the layouts of the teacher's family */
    public static Layout named(UNetConfig teacher, String name) {
        if (name.equals(TEACHER)) {
            return whole(teacher);
        }
        String family = family(teacher);
        return ALL.stream()
                .filter(l -> l.family().equals(family) && l.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no layout '" + name + "' for a teacher of family "
                        + family + "; there are " + String.join(", ", names(family)) + ", " + TEACHER + ", " + CUSTOM));
    }

    private static Layout layout(String family, String name, String down, Mid mid, String up) {
        return new Layout(family, name, blocks(down), mid, blocks(up));
    }

    private static List<Kept> blocks(String row) {
        return Arrays.stream(row.split("\\|")).map(Layouts::kept).collect(Collectors.toUnmodifiableList());
    }

    static Kept kept(String block) {
        List<String[]> layers = Arrays.stream(block.trim().split(" "))
                .map(layer -> layer.split(":"))
                .toList();
        return new Kept(
                layers.stream().map(l -> Integer.valueOf(l[0])).toList(),
                layers.stream()
                        .map(l -> l.length == 1 ? AS_TEACHER : Integer.parseInt(l[1]))
                        .toList());
    }
}
