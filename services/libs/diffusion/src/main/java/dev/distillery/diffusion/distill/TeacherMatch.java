package dev.distillery.diffusion.distill;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.distillery.diffusion.clip.PromptEncoder;
import dev.distillery.diffusion.schedule.NoiseSchedule;
import dev.distillery.diffusion.tensor.Ops;
import dev.distillery.diffusion.tensor.Precision;
import dev.distillery.diffusion.tensor.Torch;
import dev.distillery.diffusion.unet.UNet2DCondition;

/**
 * How far a student's predictions and block outputs are from its teacher's, by how noisy the latents are. It needs no other
 * network. Each pair is seen with the middle timestep of every bin and always the same noise, so its errors depend on the pair
 * and the seed alone.
 *
 * <p>The networks stay the caller's. One thread at a time.
 */
public final class TeacherMatch {
    /** Into which the schedule is divided; the first has the least noise. */
    public static final int BINS = 10;

    /**
     * Held-out pairs, none of which has noise yet.
     *
     * @param latents scaled latents {@code (1, C, H, W)}
     * @param promptEmbeds {@code (1, L, D)}
     * @param textEmbeds {@code (1, P)}; null for SD v1/v2
     * @param timeIds {@code (1, 6)}; null for SD v1/v2
     */
    public record Pair(NDArray latents, NDArray promptEmbeds, NDArray textEmbeds, NDArray timeIds) {
        /** The same with its prompts as other text encoders see them. */
        public Pair with(PromptEncoder.Prompts prompts) {
            return new Pair(latents, prompts.promptEmbeds(), prompts.pooled(), timeIds);
        }
    }

    private final UNet2DCondition teacher;
    private final UNet2DCondition student;
    private final NoiseSchedule schedule;
    private final Precision precision;
    private final List<FeaturePoints.Pair> features;

    /** @throws IllegalArgumentException if the student has more levels than the teacher */
    public TeacherMatch(UNet2DCondition teacher, UNet2DCondition student, NoiseSchedule schedule, Precision precision) {
        if (student.config().levels() > teacher.config().levels()) {
            throw new IllegalArgumentException("a student has at most as many levels as its teacher, "
                    + teacher.config().levels() + ", but has "
                    + student.config().levels());
        }
        this.teacher = teacher;
        this.student = student;
        this.schedule = schedule;
        this.precision = precision;
        features = FeaturePoints.blocks(teacher.config(), student.config());
    }

    /** The timestep that stands for each bin. */
    public long[] timesteps() {
        long[] timesteps = new long[BINS];
        for (int bin = 0; bin < BINS; bin++) {
            timesteps[bin] = (2L * bin + 1) * schedule.steps() / (2 * BINS);
        }
        return timesteps;
    }

    /**
     * The errors of one pair.
     *
     * @param seed of its noise, that of {@code torch.manual_seed(seed)} on the CPU
     * @throws IllegalArgumentException if a block's outputs are of different shapes: then it is no student of this teacher
     */
    public MatchErrors of(Pair pair, long seed) {
        return of(pair, pair, seed);
    }

    /** The errors of one pair of which the student has other prompt embeddings than the teacher. */
    public MatchErrors of(Pair pair, Pair own, long seed) {
        NDManager owner = pair.latents().getManager();
        try (NDManager scope = owner.newSubManager();
                Torch.GradMode off = Torch.gradMode(false)) {
            Batch batch = batch(pair, seed, scope);
            UNet2DCondition.Input input =
                    batch.input(schedule.addNoise(batch.latents(), batch.noise(), batch.timesteps()));
            UNet2DCondition.Input ownInput = own == pair
                    ? input
                    : new UNet2DCondition.Input(
                            input.latents(),
                            input.timesteps(),
                            rows(own.promptEmbeds(), scope),
                            rows(own.textEmbeds(), scope),
                            input.timeIds());
            Map<String, NDArray> learnt = student.forward(ownInput, precision, sites());
            NDArray feature = scope.zeros(batch.timesteps().getShape());
            var output = new double[BINS];
            var listeners = new HashMap<String, Consumer<NDArray>>();
            for (FeaturePoints.Pair point : features) {
                listeners.put(point.teacher(), taught -> {
                    try (NDArray errors = errors(point.student(), learnt.get(point.student()), taught)) {
                        Ops.add(feature, errors);
                    }
                });
            }
            listeners.put(UNet2DCondition.PREDICTION, taught -> {
                try (NDArray errors =
                        errors(UNet2DCondition.PREDICTION, learnt.get(UNet2DCondition.PREDICTION), taught)) {
                    System.arraycopy(doubles(errors), 0, output, 0, BINS);
                }
            });
            teacher.forward(input, precision, listeners);
            return new MatchErrors(1, output, doubles(feature));
        }
    }

    /** The pair once for each bin. */
    private Batch batch(Pair pair, long seed, NDManager scope) {
        NDArray noise = Torch.normal(seed, pair.latents().getShape(), scope);
        return new Batch(
                rows(pair.latents(), scope),
                rows(noise, scope),
                scope.create(timesteps()),
                rows(pair.promptEmbeds(), scope),
                rows(pair.textEmbeds(), scope),
                rows(pair.timeIds(), scope));
    }

    private static NDArray rows(NDArray one, NDManager scope) {
        if (one == null) {
            return null;
        }
        NDArray rows = one.repeat(0, BINS);
        rows.attach(scope);
        return rows;
    }

    private List<String> sites() {
        return Stream.concat(features.stream().map(FeaturePoints.Pair::student), Stream.of(UNet2DCondition.PREDICTION))
                .distinct()
                .collect(Collectors.toList());
    }

    private static NDArray errors(String site, NDArray learnt, NDArray taught) {
        if (!learnt.getShape().equals(taught.getShape())) {
            throw new IllegalArgumentException("no student of this teacher: its '" + site + "' is " + learnt.getShape()
                    + " where the teacher's is " + taught.getShape());
        }
        return Ops.call("mse_by_sample", learnt, taught);
    }

    private static double[] doubles(NDArray errors) {
        float[] floats = errors.toFloatArray();
        double[] doubles = new double[floats.length];
        for (int i = 0; i < floats.length; i++) {
            doubles[i] = floats[i];
        }
        return doubles;
    }
}
