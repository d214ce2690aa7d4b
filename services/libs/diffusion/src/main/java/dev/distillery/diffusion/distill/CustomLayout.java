package dev.distillery.diffusion.distill;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

import dev.distillery.diffusion.distill.Layout.Kept;
import dev.distillery.diffusion.distill.Layout.Mid;
import dev.distillery.diffusion.unet.UNetConfig;
import dev.distillery.diffusion.unet.UNetConfig.MidKind;

/**
 * A layout in a user's own words: for each of the teacher's blocks that stays, by its key, the layers that stay, as in the
 * rows of {@link Layouts}. The mid block is {@code whole}, {@code resnet} or the number of its transformer blocks.
 */
final class CustomLayout {
    private static final String ROW = "\\d+(:\\d+)?( \\d+(:\\d+)?)*";
    private static final String MID = "mid_block";

    private final UNetConfig teacher;
    private final Map<String, String> keep;

    private CustomLayout(UNetConfig teacher, Map<String, String> keep) {
        this.teacher = teacher;
        this.keep = keep;
    }

    /** @throws IllegalArgumentException naming the block, what is said of it and what would be right */
    static Layout of(UNetConfig teacher, Map<String, String> keep) {
        return new CustomLayout(teacher, keep).layout();
    }

    private Layout layout() {
        int levels = teacher.levels();
        int kept = 0;
        while (kept < levels && keep.containsKey("down_blocks." + kept)) {
            kept++;
        }
        var unknown = new TreeSet<>(keep.keySet());
        unknown.remove(MID);
        List<Kept> down = new ArrayList<>();
        List<Kept> up = new ArrayList<>();
        for (int i = 0; i < kept; i++) {
            String block = "down_blocks." + i;
            unknown.remove(block);
            down.add(row(block, teacher.down().get(i)));
        }
        for (int i = 0; i < kept; i++) {
            String block = "up_blocks." + (levels - kept + i);
            unknown.remove(block);
            up.add(row(block, teacher.up().get(levels - kept + i)));
            int beside = down.get(kept - 1 - i).layers().size();
            if (up.get(i).layers().size() != beside + 1) {
                throw wrong(
                        block,
                        "must keep " + (beside + 1) + " layers, one more than down_blocks." + (kept - 1 - i)
                                + ", whose outputs it takes");
            }
        }
        if (kept == 0 || !unknown.isEmpty()) {
            throw new IllegalArgumentException("of the teacher's " + levels
                    + " levels the outermost must stay: down_blocks.0 and on, and as many of up_blocks."
                    + (levels - 1) + " and before ("
                    + (kept == 0 ? "down_blocks.0 is missing" : unknown + " is there") + ")");
        }
        return new Layout(Layouts.family(teacher), Layouts.CUSTOM, List.copyOf(down), mid(), List.copyOf(up));
    }

    private Kept row(String block, UNetConfig.Level level) {
        String row = keep.get(block);
        if (row == null || !row.matches(ROW)) {
            throw wrong(block, "must list layers, such as '0 2' or, with 4 transformer blocks each, '0:4 2:4'");
        }
        Kept kept = Layouts.kept(row);
        int before = -1;
        for (int i = 0; i < kept.layers().size(); i++) {
            int layer = kept.layers().get(i);
            if (layer <= before || layer >= level.layers()) {
                throw wrong(block, "must list layers from 0 to " + (level.layers() - 1) + " in order");
            }
            before = layer;
            int most = level.depths().get(layer);
            int wanted = kept.depths().get(i);
            if (wanted != Layout.AS_TEACHER && (wanted < 1 || wanted > most)) {
                throw wrong(
                        block,
                        most == 0
                                ? "must not speak of transformer blocks: the teacher has none there"
                                : "must keep 1 to " + most + " transformer blocks of layer " + layer);
            }
        }
        return kept;
    }

    private Mid mid() {
        String mid = keep.get(MID);
        if (mid == null) {
            return new Mid(MidKind.NONE, 0);
        }
        int most = teacher.mid().depth();
        return switch (mid) {
            case "whole" -> new Mid(teacher.mid().kind(), Layout.AS_TEACHER);
            case "resnet" -> new Mid(MidKind.RESNET, 0);
            default -> {
                if (!mid.matches("\\d{1,3}") || Integer.parseInt(mid) < 1 || Integer.parseInt(mid) > most) {
                    throw wrong(MID, "must be whole, resnet or, of transformer blocks, 1 to " + most);
                }
                yield new Mid(MidKind.CROSS_ATTENTION, Integer.parseInt(mid));
            }
        };
    }

    private IllegalArgumentException wrong(String block, String what) {
        return new IllegalArgumentException("of '" + block + "' ('" + keep.get(block) + "') " + what);
    }
}
