package dev.distillery.diffusion.distill;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.Stream;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import dev.distillery.diffusion.Golden;
import dev.distillery.diffusion.schedule.NoiseSchedule;
import dev.distillery.diffusion.schedule.NoiseSchedule.Prediction;
import dev.distillery.diffusion.tensor.Ops;
import dev.distillery.diffusion.tensor.Precision;
import dev.distillery.diffusion.unet.UNet2DCondition;
import dev.distillery.diffusion.unet.UNetConfig;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.withinPercentage;

/** U-Net and distillation step against diffusers 0.35.1; golden tensors by {@code src/test/python/golden_unet.py}. */
class DistillationGoldenTest {
    private static Distillation distillation(Path golden, String layout) {
        return distillation(golden, layout, Precision.FP32, false);
    }

    private static Distillation distillation(Path golden, String layout, Precision precision, boolean recompute) {
        return distillation(golden, layout, Objective.PLAIN, precision, recompute);
    }

    private static Distillation distillation(
            Path golden, String layout, Objective objective, Precision precision, boolean recompute) {
        var settings = new Distillation.Settings(
                objective, AdamW.Settings.withWeightDecay(1e-2), Optional.empty(), 1, precision, recompute);
        return Distillation.create(
                golden.resolve("unet"),
                Layouts.named(UNetConfig.read(golden.resolve("unet")), layout),
                new Distillation.Init.Teacher(),
                settings,
                NoiseSchedule.read(golden.resolve("scheduler")));
    }

    static Batch batch(Path golden, NDManager scope) {
        Path file = golden.resolve("batch.safetensors");
        return Batch.of(file, Golden.tensors(file, scope));
    }

    /** diffusers' DreamBooth scripts chunk the batch and add {@code prior_loss_weight} times the second half's loss. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldAddTheClassesLossWithItsWeightToTheSubjects(boolean minSnr) {
        Path golden = Golden.folder("unet-sdxl");
        var objective = new Objective(
                new LossWeights(1, 0, 0),
                minSnr ? new SampleWeighting.MinSnr(5) : SampleWeighting.EQUAL,
                OptionalDouble.empty(),
                FeaturePoints.BLOCK,
                false);
        try (Distillation d = distillation(golden, "small", objective, Precision.FP32, false);
                NDManager scope = d.newScope()) {
            // Given
            Batch whole = batch(golden, scope);
            long half = whole.timesteps().size() / 2;
            assertThat(2 * half).isEqualTo(whole.timesteps().size());
            double subject =
                    d.backward(part(whole, ":" + half, null), 1, scope).task().getFloat();
            double ofClass =
                    d.backward(part(whole, half + ":", null), 0.4, scope).task().getFloat();
            List<NDArray> expected =
                    d.gradients(scope).stream().map(NDArray::duplicate).toList();
            d.gradients(scope).forEach(gradient -> gradient.muli(0));
            // When
            float[] weights = new float[(int) (2 * half)];
            Arrays.fill(weights, 0, (int) half, 2);
            Arrays.fill(weights, (int) half, weights.length, 0.8f);
            double both = d.backward(part(whole, ":", weights), 1, scope).task().getFloat();
            // Then
            assertThat(both).isCloseTo(subject + 0.4 * ofClass, withinPercentage(0.001));
            List<NDArray> gradients = d.gradients(scope);
            for (int i = 0; i < expected.size(); i++) {
                double off = gradients.get(i).sub(expected.get(i)).norm().getFloat();
                assertThat(off)
                        .isLessThanOrEqualTo(1e-4 * expected.get(i).norm().getFloat() + 1e-9);
            }
        }
    }

    private static Batch part(Batch of, String rows, float[] weights) {
        return new Batch(
                of.latents().get(rows),
                of.noise().get(rows),
                of.inputNoise().get(rows),
                of.timesteps().get(rows),
                of.promptEmbeds().get(rows),
                of.textEmbeds().get(rows),
                of.timeIds().get(rows),
                weights,
                null);
    }

    @ParameterizedTest
    @ValueSource(strings = {"sdxl", "sd1", "sd2"})
    void shouldEqualDiffusersInEveryBlockOfTheTeacher(String family) {
        // Given
        Path golden = Golden.folder("unet-" + family);
        try (Distillation d = distillation(golden, Layouts.names(family).get(0));
                NDManager scope = d.newScope()) {
            Map<String, NDArray> expected = Golden.tensors(golden.resolve("teacher.safetensors"), scope);
            Batch batch = batch(golden, scope);
            // When
            List<String> blocks = d.teacher().orElseThrow().blocks();
            Map<String, NDArray> output =
                    d.teacher().orElseThrow().forward(batch.input(expected.get("noisy")), Precision.FP32, blocks);
            // Then
            assertThat(blocks).hasSize(expected.size() - 1); // all but the input
            for (String block : blocks) {
                String name = block.equals(UNet2DCondition.PREDICTION)
                        ? "prediction"
                        : block.replace("_blocks", "").replace("_block", "");
                Golden.assertClose(block, output.get(block), expected.get(name));
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "sdxl, small",
        "sdxl, tiny",
        "sd1, base",
        "sd1, small",
        "sd1, tiny",
        "sd2, base",
        "sd2, small",
        "sd2, tiny"
    })
    void shouldEqualDiffusersInLossesAndEveryGradientOfOneStep(String family, String layout) {
        // Given
        Path golden = Golden.folder("unet-" + family);
        try (Distillation d = distillation(golden, layout);
                NDManager scope = d.newScope()) {
            Map<String, NDArray> expected = Golden.tensors(golden.resolve("step-" + layout + ".safetensors"), scope);
            Batch batch = batch(golden, scope);
            // When, then
            assertStep(d, batch, expected, scope);
        }
    }

    static Stream<Arguments> objectives() {
        var minSnr = objective(new SampleWeighting.MinSnr(5), FeaturePoints.BLOCK, false);
        var debiased = objective(new SampleWeighting.Debiased(), FeaturePoints.BLOCK, false);
        var huber = new Objective(
                LossWeights.EQUAL, SampleWeighting.EQUAL, OptionalDouble.of(0.3), FeaturePoints.BLOCK, false);
        return Stream.of(
                Arguments.of("sdxl", "small-snr", minSnr),
                Arguments.of("sd2", "base-snr", minSnr),
                Arguments.of("sdxl", "small-debiased", debiased),
                Arguments.of("sd2", "base-debiased", debiased),
                Arguments.of("sdxl", "small-huber", huber),
                Arguments.of("sdxl", "small-layer", objective(SampleWeighting.EQUAL, FeaturePoints.LAYER, false)),
                Arguments.of(
                        "sdxl",
                        "tiny-attention",
                        objective(SampleWeighting.EQUAL, FeaturePoints.SELF_ATTENTION, false)),
                Arguments.of("sdxl", "small-relative", objective(SampleWeighting.EQUAL, FeaturePoints.BLOCK, true)));
    }

    private static Objective objective(SampleWeighting weighting, FeaturePoints points, boolean relative) {
        return new Objective(LossWeights.EQUAL, weighting, OptionalDouble.empty(), points, relative);
    }

    /** SD2 predicts velocity, for which the samples' weights are others. */
    @ParameterizedTest(name = "{0} {1}")
    @MethodSource("objectives")
    void shouldEqualDiffusersWithEveryObjective(String family, String variant, Objective objective) {
        for (boolean recompute : new boolean[] {false, true}) {
            // Given
            Path golden = Golden.folder("unet-" + family);
            String layout = variant.substring(0, variant.indexOf('-'));
            try (Distillation d = distillation(golden, layout, objective, Precision.FP32, recompute);
                    NDManager scope = d.newScope()) {
                Map<String, NDArray> expected =
                        Golden.tensors(golden.resolve("step-" + variant + ".safetensors"), scope);
                Batch batch = batch(golden, scope);
                // When, then
                assertStep(d, batch, expected, scope);
            }
        }
    }

    @Test
    void shouldGiveAFiniteWeightWhereThereIsNoSignal() {
        for (SampleWeighting weighting :
                List.of(SampleWeighting.EQUAL, new SampleWeighting.MinSnr(5), new SampleWeighting.Debiased())) {
            for (Prediction prediction : Prediction.values()) {
                assertThat(weighting.weight(0, prediction)).isBetween(0.0, 1.0);
            }
        }
    }

    private static void assertStep(Distillation d, Batch batch, Map<String, NDArray> expected, NDManager scope) {
        Losses losses = d.backward(batch, 1, scope).losses(LossWeights.EQUAL);
        List<NDArray> gradients = d.gradients(scope);
        assertThat(losses.task()).isCloseTo(expected.get("loss_sd").getFloat(), withinPercentage(1e-3));
        assertThat(losses.output()).isCloseTo(expected.get("loss_kd").getFloat(), withinPercentage(1e-3));
        assertThat(losses.feature()).isCloseTo(expected.get("loss_features").getFloat(), withinPercentage(1e-3));
        assertGradients(d.student().parameters().keySet().stream().toList(), gradients, expected);
    }

    @Test
    void shouldBeginWithTheTeachersWholeNetworkWhenTheLayoutIsTheTeachers() {
        try (Distillation d = distillation(Golden.folder("unet-sdxl"), Layouts.TEACHER);
                NDManager scope = d.newScope()) {
            Batch batch = batch(Golden.folder("unet-sdxl"), scope);
            Losses losses = d.evaluate(batch);
            assertThat(d.student().parameters().keySet())
                    .isEqualTo(d.teacher().orElseThrow().parameters().keySet());
            // the teacher's weights lie in its file, the student's in memory of another alignment, for which oneDNN has
            // other kernels
            assertThat(losses.output()).isLessThan(1e-12);
            assertThat(losses.feature()).isLessThan(1e-10);
            assertThat(losses.task()).isPositive();
        }
    }

    @Test
    void shouldBeginWithTheSameRandomWeightsWhenTheSeedIsTheSame() {
        float[] one = randomStart(1);
        assertThat(randomStart(1)).isEqualTo(one);
        assertThat(randomStart(2)).isNotEqualTo(one);
        double bound = 1 / Math.sqrt(4 * 3 * 3); // fan-in of conv_in
        for (float value : one) {
            assertThat((double) value).isBetween(-bound, bound);
        }
    }

    private static float[] randomStart(long seed) {
        Path golden = Golden.folder("unet-sdxl");
        var settings = new Distillation.Settings(
                Objective.PLAIN, AdamW.Settings.withWeightDecay(0), Optional.empty(), 1, Precision.FP32, false);
        try (Distillation d = Distillation.create(
                golden.resolve("unet"),
                Layouts.named(UNetConfig.read(golden.resolve("unet")), "small"),
                new Distillation.Init.Random(seed),
                settings,
                NoiseSchedule.read(golden.resolve("scheduler")))) {
            assertThat(d.student().parameters().get("conv_norm_out.weight").toFloatArray())
                    .containsOnly(1f);
            return d.student().parameters().get("conv_in.weight").toFloatArray();
        }
    }

    @ParameterizedTest
    @CsvSource({"sdxl, small", "sdxl, tiny", "sd1, base", "sd2, small"})
    void shouldGiveTheSameGradientsWhenUnitsAreComputedAgain(String family, String layout) {
        Path golden = Golden.folder("unet-" + family);
        try (Distillation plain = distillation(golden, layout, Precision.FP32, false);
                Distillation again = distillation(golden, layout, Precision.FP32, true);
                NDManager scope = plain.newScope()) {
            // Given
            Batch batch = batch(golden, scope);
            int arrays = again.liveArrays();
            // When
            plain.accumulate(batch, 1);
            again.accumulate(batch, 1);
            // Then
            assertThat(again.liveArrays()).isEqualTo(arrays);
            assertSameGradients(plain.gradients(scope), again.gradients(scope));
            assertThat(again.update(1e-3).losses()).isEqualTo(plain.update(1e-3).losses());
        }
    }

    /** Within 1e-5 of the larger of the tensor's norm and 1e-4 of the global norm. */
    private static void assertSameGradients(List<NDArray> expected, List<NDArray> actual) {
        double global = Math.sqrt(
                expected.stream().mapToDouble(g -> Math.pow(norm(g), 2)).sum());
        for (int i = 0; i < expected.size(); i++) {
            double scale = Math.max(norm(expected.get(i)), 1e-4 * global);
            assertThat(norm(actual.get(i).sub(expected.get(i))) / scale).isLessThan(1e-5);
        }
    }

    @Test
    void shouldGiveTheSameLossesAndGradientsWhenABatchComesInParts() {
        Path golden = Golden.folder("unet-sdxl");
        try (Distillation whole = distillation(golden, "small");
                Distillation parts = distillation(golden, "small");
                NDManager scope = whole.newScope()) {
            // Given
            Map<String, NDArray> two = Golden.tensors(golden.resolve("batch.safetensors"), scope);
            Map<String, NDArray> four = new HashMap<>();
            two.forEach((name, array) -> four.put(name, array.concat(array.add(1), 0)));
            // When
            whole.accumulate(Batch.of(golden, four), 1);
            for (int i = 0; i < 4; i++) {
                int sample = i;
                Map<String, NDArray> one = new HashMap<>();
                four.forEach((name, array) -> one.put(name, array.get(new NDIndex("{}:{}", sample, sample + 1))));
                parts.accumulate(Batch.of(golden, one), 0.25);
            }
            // Then
            assertSameGradients(whole.gradients(scope), parts.gradients(scope));
            assertThat(parts.update(1e-3).losses().total())
                    .isCloseTo(whole.update(1e-3).losses().total(), withinPercentage(1e-3));
        }
    }

    @ParameterizedTest(name = "{0} parts")
    @ValueSource(ints = {2, 3, 1})
    void shouldLearnTheSameWhenPartsAreSplitOverReplicas(int count) {
        Path golden = Golden.folder("unet-sdxl");
        List<Device> devices = List.of(Device.cpu(), Device.cpu());
        try (Distillation one = distillation(golden, List.of(Device.cpu()));
                Distillation two = distillation(golden, devices);
                NDManager scope = one.newScope()) {
            // Given a part that is larger than the others
            Map<String, NDArray> tensors = Golden.tensors(golden.resolve("batch.safetensors"), scope);
            double all = 1 + count;
            List<Distillation.Part> parts = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                String samples = i == 0 ? "0:2" : "1:2";
                parts.add(new Distillation.Part((i == 0 ? 2 : 1) / all, part -> {
                    Map<String, NDArray> rows = new HashMap<>();
                    tensors.forEach((name, array) -> {
                        NDArray own = array.get(new NDIndex(samples)).duplicate();
                        own.attach(part);
                        rows.put(name, own);
                    });
                    return Batch.of(golden, rows);
                }));
            }
            int[] arrays = new int[3];
            for (int step = 0; step < 3; step++) {
                // When
                one.accumulate(parts);
                two.accumulate(parts);
                Distillation.StepResult expected = one.update(1e-3);
                Distillation.StepResult actual = two.update(1e-3);
                // Then
                assertThat(actual.losses().total()).isCloseTo(expected.losses().total(), withinPercentage(1e-4));
                assertThat(actual.gradNorm()).isCloseTo(expected.gradNorm(), withinPercentage(1e-4));
                assertThat(actual.deviceSeconds()).hasSize(2);
                assertThat(actual.deviceSeconds().get(1) > 0).isEqualTo(count > 1);
                arrays[step] = two.liveArrays();
            }
            one.student().parameters().forEach((key, parameter) -> {
                NDArray other = two.student().parameters().get(key);
                assertThat(norm(other.sub(parameter))).isLessThanOrEqualTo(1e-6 * norm(parameter));
            });
            assertThat(arrays).containsOnly(arrays[0]);
        }
    }

    private static Distillation distillation(Path golden, List<Device> devices) {
        return Distillation.create(
                golden.resolve("unet"),
                Layouts.named(UNetConfig.read(golden.resolve("unet")), "small"),
                new Distillation.Init.Teacher(),
                new Distillation.Settings(
                        Objective.PLAIN,
                        AdamW.Settings.withWeightDecay(1e-2),
                        Optional.empty(),
                        1,
                        Precision.FP32,
                        true),
                NoiseSchedule.read(golden.resolve("scheduler")),
                devices);
    }

    @Test
    void shouldSkipTheUpdateAndNameTheBlockWhenAStudentsOutputIsNotFinite() {
        // Given
        try (Distillation d = distillation(Golden.folder("unet-sdxl"), "small")) {
            poison(d, "up_blocks.1.resnets.0.conv1.weight", Float.NaN);
            // When, then
            assertThat(stepSkipped(d)).contains("the student's up_blocks.1");
        }
    }

    @Test
    void shouldSkipTheUpdateAndNameTheParameterWhenOnlyAGradientIsNotFinite() {
        try (Distillation d = distillation(Golden.folder("unet-sdxl"), "small");
                NDManager scope = d.newScope()) {
            // Given
            String key = "down_blocks.1.resnets.0.conv1.bias";
            d.accumulate(batch(Golden.folder("unet-sdxl"), scope), 1);
            NDArray parameter = d.student().parameters().get(key);
            NDArray gradient = parameter.getGradient();
            Ops.copy(List.of(gradient), List.of(scope.full(gradient.getShape(), Float.POSITIVE_INFINITY)));
            float[] before = parameter.toFloatArray();
            // When
            Distillation.StepResult result = d.update(1e-3);
            // Then
            assertThat(result.nonFinite()).contains("the gradient of the student's " + key);
            assertThat(parameter.toFloatArray()).isEqualTo(before);
        }
    }

    private static void poison(Distillation d, String key, float value) {
        NDArray parameter = d.student().parameters().get(key);
        try (NDArray values = parameter.getManager().full(parameter.getShape(), value)) {
            Ops.copy(List.of(parameter), List.of(values));
        }
    }

    private static Optional<String> stepSkipped(Distillation d) {
        try (NDManager scope = d.newScope()) {
            float[] before = d.student().parameters().get("conv_in.weight").toFloatArray();
            Batch batch = batch(Golden.folder("unet-sdxl"), scope);
            Optional<String> where = d.step(batch, 1e-3).nonFinite();
            assertThat(d.student().parameters().get("conv_in.weight").toFloatArray())
                    .isEqualTo(before);
            assertThat(d.optimizer().steps()).isZero();
            return where;
        }
    }

    /** Within 1e-3 of the larger of the tensor's norm and 1e-4 of the global norm: some gradients vanish. */
    static void assertGradients(List<String> keys, List<NDArray> actual, Map<String, NDArray> expected) {
        assertThat(expected.keySet().stream().filter(k -> k.startsWith("grad.")))
                .hasSize(keys.size());
        double global = Math.sqrt(keys.stream()
                .mapToDouble(k -> Math.pow(norm(expected.get("grad." + k)), 2))
                .sum());
        assertThat(keys).allSatisfy(key -> {
            NDArray gradient = actual.get(keys.indexOf(key));
            NDArray golden = expected.get("grad." + key);
            double scale = Math.max(norm(golden), 1e-4 * global);
            assertThat(norm(gradient.sub(golden)) / scale).isLessThan(1e-3);
        });
    }

    private static double norm(NDArray array) {
        return array.norm().getFloat();
    }

    @Test
    void shouldKeepNativeArraysAndResidentMemoryFlatOver200Steps() throws IOException {
        // Given
        Path golden = Golden.folder("unet-sdxl");
        int steps = 200;
        int[] arrays = new int[steps];
        long[] resident = new long[steps];
        double[] total = new double[steps];
        try (Distillation d = distillation(golden, "small")) {
            // When
            for (int step = 0; step < steps; step++) {
                try (NDManager scope = d.newScope()) {
                    Batch batch = batch(golden, scope);
                    total[step] = d.step(batch, 1e-3).losses().total();
                }
                arrays[step] = d.liveArrays();
                resident[step] = residentMiB();
            }
        }
        // Then
        assertThat(arrays[steps - 1]).isEqualTo(arrays[0]);
        assertThat(resident[steps - 1] - resident[steps / 2])
                .as("MiB that came in the second hundred steps (the heap is there from the start, see the pom)")
                .isLessThan(16);
        assertThat(total[steps - 1]).isLessThan(total[0] / 2);
    }

    /** Zero where there is no /proc: the count of arrays is then the whole check. */
    private static long residentMiB() throws IOException {
        Path status = Path.of("/proc/self/status");
        if (!Files.exists(status)) {
            return 0;
        }
        try (Stream<String> lines = Files.lines(status)) {
            return lines.filter(line -> line.startsWith("VmRSS:"))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) / 1024)
                    .findFirst()
                    .orElse(0);
        }
    }
}
