package dev.distillery.diffusion.evaluate;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.distillery.diffusion.Golden;
import dev.distillery.diffusion.tensor.Torch;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

/** Against pytorch-fid 0.3.0 and torch-fidelity 0.3.0; golden values by {@code src/test/python/golden_evaluate.py}. */
class ScoresGoldenTest {
    private static final double BOUND = 1e-4;

    private final NDManager scope = Torch.newManager();
    private final Map<String, NDArray> golden =
            Golden.tensors(Golden.folder("evaluate").resolve("scores.safetensors"), scope);

    @AfterEach
    void close() {
        scope.close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"full", "few", "dead", "disjoint", "constant", "same"})
    void shouldGivePytorchFidsDistance(String name) {
        // Given
        FeatureStatistics a = FeatureStatistics.of(golden.get("fid." + name + ".a"));
        FeatureStatistics b = FeatureStatistics.of(golden.get("fid." + name + ".b"));
        // When
        double distance = a.gaussian().frechetDistance(b.gaussian());
        // Then
        assertThat(distance).isCloseTo(golden.get("fid." + name).getFloat(), relative(distance));
    }

    private static Offset<Double> relative(double value) {
        return within(BOUND * Math.max(1, value));
    }

    @Test
    void shouldReadTheStatisticsThatPytorchFidSaves() {
        // Given
        Gaussian own = FeatureStatistics.of(golden.get("fid.full.a")).gaussian();
        // When
        Gaussian saved = Gaussian.readNpz(Golden.folder("evaluate").resolve("statistics.npz"));
        // Then
        assertThat(own.mean()).containsExactly(saved.mean(), within(1e-12));
        assertThat(own.covariance()).containsExactly(saved.covariance(), within(1e-10));
    }

    @ParameterizedTest
    @ValueSource(strings = {"60", "1 59", "59 1", "30 30", "7 13 1 39", "1 1 1 1 56"})
    void shouldAddUpToTheSameHoweverTheyAreParted(String split) {
        // Given
        NDArray features = golden.get("fid.full.a");
        FeatureStatistics whole = FeatureStatistics.of(features);
        List<FeatureStatistics> parts = new ArrayList<>();
        int from = 0;
        for (String size : split.split(" ")) {
            int to = from + Integer.parseInt(size);
            parts.add(FeatureStatistics.of(features.get(from + ":" + to)));
            from = to;
        }
        // When
        FeatureStatistics sum = parts.stream().reduce(FeatureStatistics::plus).orElseThrow();
        // Then
        assertThat(sum.count()).isEqualTo(60);
        assertThat(sum.mean()).containsExactly(whole.mean(), within(1e-12));
        assertThat(sum.comoments()).containsExactly(whole.comoments(), within(1e-9));
    }

    @Test
    void shouldNotCompareWhatCannotBeCompared(@TempDir Path folder) throws IOException {
        Gaussian one = new Gaussian(new double[1], new double[1]);
        Gaussian two = new Gaussian(new double[2], new double[4]);
        Path noArchive = Files.writeString(folder.resolve("real.npz"), "mu");
        assertThatThrownBy(() -> one.frechetDistance(two)).hasMessageContaining("widths 1 and 2");
        assertThatThrownBy(() -> new Gaussian(new double[2], new double[3])).hasMessageContaining("has 3");
        assertThatThrownBy(() -> new Gaussian(new double[] {Double.NaN}, new double[1]))
                .hasMessageContaining("must be finite");
        assertThatThrownBy(() -> Gaussian.readNpz(noArchive)).hasMessageContaining("real.npz");
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 10})
    void shouldGiveTorchFidelitysInceptionScore(int splits) {
        // Given
        List<float[]> logits = rows(golden.get("is.logits"));
        float[] expected = golden.get("is." + splits).toFloatArray();
        // When
        InceptionScore score = InceptionScore.of(logits, splits);
        // Then
        assertThat(score.mean()).isCloseTo(expected[0], within(1e-5));
        assertThat(score.deviation()).isCloseTo(expected[1], within(1e-5));
    }

    private static List<float[]> rows(NDArray array) {
        float[] all = array.toFloatArray();
        int width = (int) array.getShape().get(1);
        List<float[]> rows = new ArrayList<>();
        for (int from = 0; from < all.length; from += width) {
            rows.add(Arrays.copyOfRange(all, from, from + width));
        }
        return rows;
    }

    @Test
    void shouldShuffleAsNumpyDoes() {
        // Given
        long[] expected = golden.get("is.permutation").toLongArray();
        // When
        int[] order = new NumpyRandom(2020).permutation(expected.length);
        // Then
        assertThat(Arrays.stream(order).asLongStream().toArray()).isEqualTo(expected);
    }

    @Test
    void shouldSayHowManyImagesAreMissing() {
        assertThatThrownBy(() -> InceptionScore.of(List.of(new float[2]), 10))
                .hasMessageContaining("in 10 parts")
                .hasMessageContaining("there are 1");
    }
}
