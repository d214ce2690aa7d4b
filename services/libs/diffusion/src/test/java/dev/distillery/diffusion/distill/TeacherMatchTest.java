package dev.distillery.diffusion.distill;

import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.distillery.diffusion.Golden;
import dev.distillery.diffusion.schedule.NoiseSchedule;
import dev.distillery.diffusion.tensor.Precision;
import dev.distillery.diffusion.tensor.Torch;
import dev.distillery.diffusion.unet.UNetConfig;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assertions.withinPercentage;

/** Against the losses of training, which {@link DistillationGoldenTest} holds against diffusers. */
class TeacherMatchTest {
    private static Distillation distillation(Path golden, String layout) {
        return Distillation.create(
                golden.resolve("unet"),
                Layouts.named(UNetConfig.read(golden.resolve("unet")), layout),
                new Distillation.Init.Teacher(),
                new Distillation.Settings(
                        Objective.PLAIN, AdamW.Settings.withWeightDecay(0), Optional.empty(), 1, Precision.FP32, false),
                NoiseSchedule.read(golden.resolve("scheduler")));
    }

    private static TeacherMatch match(Distillation d, Path golden) {
        return new TeacherMatch(
                d.teacher().orElseThrow(),
                d.student(),
                NoiseSchedule.read(golden.resolve("scheduler")),
                Precision.FP32);
    }

    private static TeacherMatch.Pair pair(Map<String, NDArray> b) {
        boolean textTime = b.containsKey("text_embeds");
        return new TeacherMatch.Pair(
                b.get("latents").get(":1"),
                b.get("prompt_embeds").get(":1"),
                textTime ? b.get("text_embeds").get(":1") : null,
                textTime ? b.get("time_ids").get(":1") : null);
    }

    @ParameterizedTest
    @CsvSource({"sdxl, small", "sdxl, tiny", "sd1, tiny", "sd2, base"})
    void shouldFindTheErrorsThatTrainingFindsAtTheSameNoise(String family, String layout) {
        // Given
        Path golden = Golden.folder("unet-" + family);
        try (Distillation d = distillation(golden, layout);
                NDManager scope = d.newScope()) {
            TeacherMatch match = match(d, golden);
            TeacherMatch.Pair pair = pair(Golden.tensors(golden.resolve("batch.safetensors"), scope));
            // When
            MatchErrors errors = match.of(pair, 5);
            // Then
            NDArray noise = Torch.normal(5, pair.latents().getShape(), scope);
            for (int bin = 0; bin < TeacherMatch.BINS; bin++) {
                NDArray timestep = scope.create(new long[] {match.timesteps()[bin]});
                Losses losses = d.evaluate(new Batch(
                        pair.latents(), noise, timestep, pair.promptEmbeds(), pair.textEmbeds(), pair.timeIds()));
                assertThat(errors.meanOutput()[bin]).isCloseTo(losses.output(), withinPercentage(0.01));
                assertThat(errors.meanFeature()[bin]).isCloseTo(losses.feature(), withinPercentage(0.01));
            }
        }
    }

    @Test
    void shouldFindNoErrorOfAStudentThatIsTheTeacher() {
        // Given
        Path golden = Golden.folder("unet-sdxl");
        try (Distillation d = distillation(golden, "small");
                NDManager scope = d.newScope()) {
            var match = new TeacherMatch(
                    d.teacher().orElseThrow(),
                    d.teacher().orElseThrow(),
                    NoiseSchedule.read(golden.resolve("scheduler")),
                    Precision.FP32);
            // When
            MatchErrors errors = match.of(pair(Golden.tensors(golden.resolve("batch.safetensors"), scope)), 5);
            // Then
            assertThat(errors.outputError()).isZero();
            assertThat(errors.featureError()).isZero();
        }
    }

    @Test
    void shouldAddUpHoweverPairsAreParted() {
        // Given
        Path golden = Golden.folder("unet-sd2");
        try (Distillation d = distillation(golden, "base");
                NDManager scope = d.newScope()) {
            TeacherMatch match = match(d, golden);
            TeacherMatch.Pair pair = pair(Golden.tensors(golden.resolve("batch.safetensors"), scope));
            MatchErrors first = match.of(pair, 1);
            MatchErrors second = match.of(pair, 2);
            // When
            MatchErrors sum = MatchErrors.NONE.plus(second).plus(first);
            // Then
            assertThat(sum.pairs()).isEqualTo(2);
            assertThat(sum.outputError()).isCloseTo((first.outputError() + second.outputError()) / 2, within(1e-12));
            assertThat(match.of(pair, 1).output()).isEqualTo(first.output());
        }
    }

    @Test
    void shouldRefuseANetworkThatIsNoStudent() {
        // Given
        try (Distillation sdxl = distillation(Golden.folder("unet-sdxl"), "small");
                Distillation sd2 = distillation(Golden.folder("unet-sd2"), "base")) {
            NoiseSchedule schedule =
                    NoiseSchedule.read(Golden.folder("unet-sdxl").resolve("scheduler"));
            // Then
            assertThatThrownBy(() -> new TeacherMatch(
                            sdxl.teacher().orElseThrow(), sd2.teacher().orElseThrow(), schedule, Precision.FP32))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("levels");
        }
    }
}
