package dev.distillery.diffusion.distill;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

import dev.distillery.diffusion.unet.UNetConfig;
import dev.distillery.diffusion.unet.UNetConfig.MidKind;

/** Where, besides the prediction, a student is compared with its teacher. */
public enum FeaturePoints {
    /** The output of every block (BK-SDM section 3.2). */
    BLOCK {
        @Override
        List<Pair> pairs(UNetConfig teacher, Student student) {
            return blocks(teacher, student.config());
        }
    },

    /**
     * The output of every resnet and every transformer, each with the teacher's that it came from; a mid block of one
     * resnet with the teacher's whole one.
     *
     * @see <a href="https://github.com/okotaku/diffengine/blob/main/diffengine/models/editors/ssd_1b/ssd_1b.py">diffengine's
     *     SSD1B, whose up blocks' terms are doubled with each further one by a slip; here each counts once</a>
     */
    LAYER {
        @Override
        List<Pair> pairs(UNetConfig teacher, Student student) {
            return student.sites(".*\\.(resnets|attentions)\\.\\d+")
                    .map(site -> new Pair(
                            site.startsWith("mid_block")
                                            && student.config().mid().kind() == MidKind.RESNET
                                    ? "mid_block"
                                    : Student.teacherName(teacher, student.layout(), site),
                            site))
                    .toList();
        }
    },

    /**
     * What every self attention adds to its tokens; blocks without attention are compared by their outputs.
     *
     * @see <a href="https://arxiv.org/abs/2312.04005">KOALA, section 3.3</a>
     */
    SELF_ATTENTION {
        @Override
        List<Pair> pairs(UNetConfig teacher, Student student) {
            List<Pair> attentions = student.sites(".*\\.attn1")
                    .map(site -> new Pair(Student.teacherName(teacher, student.layout(), site), site))
                    .toList();
            Stream<Pair> others = blocks(teacher, student.config()).stream().filter(block -> attentions.stream()
                    .noneMatch(pair -> pair.student().startsWith(block.student() + ".")));
            return Stream.concat(attentions.stream(), others).toList();
        }
    };

    /** Names of outputs that should be alike. */
    public record Pair(String teacher, String student) {}

    /** What is compared of a student, in the order of its forward pass or, within it, by kind. */
    abstract List<Pair> pairs(UNetConfig teacher, Student student);

    /**
     * Every block with its like. A student without a mid block learns the teacher's mid output at its last down block, in
     * place of that block's own pair; one without the innermost levels has no down-sampler there, so it learns what the
     * teacher has before its own.
     */
    static List<Pair> blocks(UNetConfig teacher, UNetConfig student) {
        boolean mid = student.mid().kind() != MidKind.NONE;
        int gone = teacher.levels() - student.levels();
        int last = student.levels() - 1;
        var pairs = new ArrayList<Pair>();
        for (int i = 0; i < last; i++) {
            pairs.add(new Pair("down_blocks." + i, "down_blocks." + i));
        }
        String innermost = gone > 0 ? lastLayer(teacher, last) : mid ? "down_blocks." + last : "mid_block";
        pairs.add(new Pair(innermost, "down_blocks." + last));
        if (mid) {
            pairs.add(new Pair("mid_block", "mid_block"));
        }
        for (int i = 0; i <= last; i++) {
            pairs.add(new Pair("up_blocks." + (i + gone), "up_blocks." + i));
        }
        return List.copyOf(pairs);
    }

    private static String lastLayer(UNetConfig teacher, int block) {
        UNetConfig.Level level = teacher.down().get(block);
        int layer = level.layers() - 1;
        return "down_blocks." + block + (level.depths().get(layer) > 0 ? ".attentions." : ".resnets.") + layer;
    }
}
