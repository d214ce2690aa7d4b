package dev.distillery.converter.report;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a teacher's U-Net is made of and what its student kept, read off the names and sizes of their tensors: no
 * configuration is consulted, so it shows what the weights are, not what somebody meant them to be.
 *
 * @param stages the down blocks, the mid block and the up blocks, in the order in which data passes
 * @param teacherParameters of the whole network, embeddings and outer convolutions with it
 */
record NetworkShape(List<Stage> stages, long teacherParameters, long studentParameters) {

    private static final Pattern LAYER = Pattern.compile(
            "(down_blocks\\.\\d+|mid_block|up_blocks\\.\\d+)\\.(resnets|attentions|downsamplers|upsamplers)\\.(\\d+)\\..*");
    private static final Pattern DEPTH = Pattern.compile(".*\\.transformer_blocks\\.(\\d+)\\..*");

    /**
     * Pairs the two networks.
     *
     * @param teacher parameters of each tensor by diffusers key
     * @param student the same of the student
     * @param teacherKey the teacher's key of a student's key
     */
    static NetworkShape of(Map<String, Long> teacher, Map<String, Long> student, UnaryOperator<String> teacherKey) {
        Map<String, Map<Integer, Layer>> stages = new TreeMap<>(NetworkShape::inDataOrder);
        teacher.forEach((key, size) -> add(stages, key, depth -> new Layer(kindOf(key), depth, 0, size, 0)));
        student.forEach((key, size) -> add(
                stages, teacherKey.apply(key), depth -> new Layer(kindOf(teacherKey.apply(key)), 0, depth, 0, size)));
        List<Stage> inOrder = new ArrayList<>();
        stages.forEach((name, layers) -> inOrder.add(new Stage(name, List.copyOf(layers.values()))));
        return new NetworkShape(inOrder, sum(teacher.values()), sum(student.values()));
    }

    private interface OfDepth {
        Layer at(int depth);
    }

    private static void add(Map<String, Map<Integer, Layer>> stages, String key, OfDepth layer) {
        Matcher matcher = LAYER.matcher(key);
        if (!matcher.matches()) {
            return; // embeddings and outer convolutions are in the totals only
        }
        Matcher depth = DEPTH.matcher(key);
        Layer one = layer.at(depth.matches() ? Integer.parseInt(depth.group(1)) + 1 : 0);
        stages.computeIfAbsent(matcher.group(1), name -> new TreeMap<>())
                .merge(position(matcher.group(2), Integer.parseInt(matcher.group(3))), one, Layer::plus);
    }

    /** Residual block, its attention, the next residual block; what changes the resolution comes last. */
    private static int position(String list, int index) {
        return switch (list) {
            case "resnets" -> 2 * index;
            case "attentions" -> 2 * index + 1;
            default -> 1000;
        };
    }

    private static Kind kindOf(String key) {
        if (key.contains(".resnets.")) {
            return Kind.RESNET;
        }
        return key.contains(".attentions.") ? Kind.ATTENTION : key.contains(".down") ? Kind.DOWN : Kind.UP;
    }

    private static int inDataOrder(String one, String other) {
        return rank(one) - rank(other);
    }

    private static int rank(String stage) {
        int number = stage.contains(".") ? Integer.parseInt(stage.substring(stage.indexOf('.') + 1)) : 0;
        return (stage.startsWith("down") ? 0 : stage.startsWith("mid") ? 100 : 200) + number;
    }

    private static long sum(Collection<Long> sizes) {
        return sizes.stream().mapToLong(Long::longValue).sum();
    }

    /** The share of the teacher's parameters that the student does without, 0 to 1. */
    double saving() {
        return 1 - (double) studentParameters / teacherParameters;
    }

    enum Kind {
        RESNET,
        ATTENTION,
        DOWN,
        UP
    }

    /** A down block, the mid block or an up block; {@code name} is its key, such as {@code down_blocks.0}. */
    record Stage(String name, List<Layer> layers) {

        long teacherParameters() {
            return layers.stream().mapToLong(Layer::parameters).sum();
        }

        long studentParameters() {
            return layers.stream().mapToLong(Layer::keptParameters).sum();
        }
    }

    /**
     * A residual block, an attention block or a change of resolution.
     *
     * @param depth transformer blocks of an attention block, 0 of the others
     * @param keptDepth the same in the student
     * @param keptParameters 0 when the student lacks this layer
     */
    record Layer(Kind kind, int depth, int keptDepth, long parameters, long keptParameters) {

        boolean kept() {
            return keptParameters > 0;
        }

        Layer plus(Layer other) {
            return new Layer(
                    kind,
                    Math.max(depth, other.depth),
                    Math.max(keptDepth, other.keptDepth),
                    parameters + other.parameters,
                    keptParameters + other.keptParameters);
        }
    }
}
