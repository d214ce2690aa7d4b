package dev.distillery.diffusion.distill;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.distillery.diffusion.Golden;
import dev.distillery.diffusion.tensor.Ops;
import dev.distillery.diffusion.tensor.Torch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

/** torch 2.7.1 and transformers 4.55.4; golden tensors by {@code src/test/python/golden_optimizers.py}. */
class OptimizersGoldenTest {
    private static final int STEPS = 20;
    private static final List<String> KEYS = List.of("bias", "linear", "conv", "one_by_one");

    static Stream<Arguments> optimizers() {
        return Stream.of(
                Arguments.of("adamw", AdamW.Settings.withWeightDecay(1e-2)),
                Arguments.of("adafactor", Adafactor.Settings.withWeightDecay(1e-2)));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("optimizers")
    void shouldEqualThePythonOptimizerOver20Steps(String name, Optimizer.Settings settings) {
        try (NDManager manager = Torch.newManager()) {
            // Given
            Map<String, NDArray> golden = golden(manager);
            Map<String, NDArray> parameters = start(golden);
            Optimizer optimizer = settings.of(parameters, manager);
            // When
            steps(optimizer, golden, 0, STEPS);
            // Then
            for (String key : KEYS) {
                NDArray expected = golden.get(name + "." + key);
                double change = norm(expected.sub(golden.get("start." + key)));
                assertThat(norm(parameters.get(key).sub(expected)) / change)
                        .as(key)
                        .isLessThan(1e-5);
            }
            assertThat(optimizer.state()).isNotEmpty().allSatisfy((state, actual) -> {
                NDArray expected = golden.get(name + ".state." + state);
                assertThat(actual.getShape()).isEqualTo(expected.getShape());
                assertThat(norm(actual.sub(expected)) / norm(expected)).isLessThan(1e-5);
            });
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("optimizers")
    void shouldGoOnToTheBitWhenItsStateIsRestored(String name, Optimizer.Settings settings) {
        try (NDManager manager = Torch.newManager()) {
            // Given
            Map<String, NDArray> golden = golden(manager);
            Map<String, NDArray> parameters = start(golden);
            Optimizer first = settings.of(parameters, manager);
            steps(first, golden, 0, 7);
            // When
            Map<String, NDArray> copies = copies(parameters);
            Optimizer second = settings.of(copies, manager);
            second.state()
                    .forEach((state, array) ->
                            Ops.copy(List.of(array), List.of(first.state().get(state))));
            second.resume(first.steps());
            steps(first, golden, 7, STEPS);
            steps(second, golden, 7, STEPS);
            // Then
            assertThat(second.steps()).isEqualTo(STEPS);
            assertThat(KEYS).allSatisfy(key -> assertThat(copies.get(key)).isEqualTo(parameters.get(key)));
        }
    }

    @Test
    void shouldKeepARowAndAColumnOfEachMatrixWhenAdafactor() {
        try (NDManager manager = Torch.newManager()) {
            // When
            Optimizer adafactor = Adafactor.Settings.withWeightDecay(0).of(start(golden(manager)), manager);
            // Then
            long numbers =
                    adafactor.state().values().stream().mapToLong(NDArray::size).sum();
            assertThat(numbers).isEqualTo(5 + (6 + 4) + (4 * 3 * 3 + 4 * 3 * 3) + (4 * 6 + 4 * 6));
        }
    }

    @ParameterizedTest
    @CsvSource({"1, ema, false", "3, ema3, true"})
    void shouldAverageTheParametersAsDiffusers(int every, String name, boolean onCpu) {
        try (NDManager manager = Torch.newManager()) {
            // Given
            Map<String, NDArray> golden = golden(manager);
            Map<String, NDArray> parameters = start(golden);
            Optimizer optimizer = AdamW.Settings.withWeightDecay(1e-2).of(parameters, manager);
            try (Ema ema = new Ema(new Ema.Settings(0.6, every, onCpu), parameters)) {
                // When
                for (int i = 0; i < STEPS; i++) {
                    steps(optimizer, golden, i, i + 1);
                    ema.stepped(optimizer.steps());
                }
                // Then
                assertThat(KEYS).allSatisfy(key -> {
                    NDArray expected = golden.get(name + "." + key);
                    double change = norm(expected.sub(golden.get("start." + key)));
                    assertThat(norm(parameters.get(key).sub(expected)) / change)
                            .as("how far the average is behind")
                            .isGreaterThan(1e-3);
                    NDArray average = ema.average().get(key);
                    assertThat(norm(average.sub(expected.toDevice(average.getDevice(), false))) / change)
                            .isLessThan(1e-5);
                });
            }
        }
    }

    @Test
    void shouldLendTheAverageToTheNetworkAndGiveTheParametersBackToTheBit() {
        try (NDManager manager = Torch.newManager()) {
            // Given
            Map<String, NDArray> golden = golden(manager);
            Map<String, NDArray> parameters = start(golden);
            try (Ema ema = new Ema(new Ema.Settings(0.6, 1, true), parameters)) {
                parameters.values().forEach(p -> p.addi(1));
                Map<String, NDArray> before = copies(parameters);
                // When
                try (Ema.Applied applied = ema.apply()) {
                    assertThat(KEYS)
                            .allSatisfy(key -> assertThat(parameters.get(key)).isEqualTo(golden.get("start." + key)));
                }
                // Then
                assertThat(KEYS)
                        .allSatisfy(key -> assertThat(parameters.get(key)).isEqualTo(before.get(key)));
            }
        }
    }

    @Test
    void shouldTellHowFarTheAverageIsFromTheParameters() {
        try (NDManager manager = Torch.newManager()) {
            // Given
            Map<String, NDArray> parameters = start(golden(manager));
            try (Ema ema = new Ema(new Ema.Settings(0.6, 1, true), parameters)) {
                assertThat(ema.distance()).isZero();
                // When
                parameters.values().forEach(p -> p.muli(2));
                // Then
                assertThat(ema.distance()).isCloseTo(0.5, within(1e-6));
            }
        }
    }

    private static Map<String, NDArray> golden(NDManager manager) {
        return Golden.tensors(Golden.folder("optimizers.safetensors"), manager);
    }

    private static Map<String, NDArray> start(Map<String, NDArray> golden) {
        var start = new LinkedHashMap<String, NDArray>();
        KEYS.forEach(key -> start.put(key, golden.get("start." + key).duplicate()));
        return start;
    }

    private static Map<String, NDArray> copies(Map<String, NDArray> arrays) {
        var copies = new LinkedHashMap<String, NDArray>();
        arrays.forEach((key, array) -> copies.put(key, array.duplicate()));
        return copies;
    }

    private static void steps(Optimizer optimizer, Map<String, NDArray> golden, int from, int to) {
        for (int i = from; i < to; i++) {
            String gradient = "grad." + i + ".";
            optimizer.step(KEYS.stream().map(key -> golden.get(gradient + key)).toList(), 1e-2 / (1 + i));
        }
    }

    private static double norm(NDArray array) {
        return array.norm().getFloat();
    }
}
