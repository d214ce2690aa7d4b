package dev.distillery.diffusion.tensor;

import java.util.Map;
import java.util.Set;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class WeightsTest {
    private record Arrays(Map<String, NDArray> arrays) implements Weights.Source {
        @Override
        public Set<String> keys() {
            return arrays.keySet();
        }

        @Override
        public Shape shape(String key) {
            return arrays.get(key).getShape();
        }

        @Override
        public NDArray load(String key) {
            return arrays.get(key);
        }
    }

    @Test
    void shouldNameEveryMissingMisshapedAndUnexpectedKeyAtOnce() {
        try (NDManager scope = Torch.newManager()) {
            // Given
            Weights weights = Weights.of(
                    "unet",
                    new Arrays(Map.of("a.weight", scope.ones(new Shape(2, 3)), "other", scope.ones(new Shape(1)))));
            // When
            weights.at("a").take("weight", 2, 4);
            weights.at("a").take("bias", 2);
            // Then
            assertThatThrownBy(weights::check)
                    .isInstanceOf(WeightsException.class)
                    .hasMessageContaining("unet")
                    .hasMessageContaining("'a.weight' is [2, 3] but should be [2, 4]")
                    .hasMessageContaining("missing 'a.bias' [2]")
                    .hasMessageContaining("unexpected [other]");
        }
    }

    @Test
    void shouldKeepTheOrderInWhichTheModelAsks() {
        try (NDManager scope = Torch.newManager()) {
            Weights weights = Weights.of(
                    "unet", new Arrays(Map.of("b", scope.ones(new Shape(1)), "a", scope.ones(new Shape(1)))));
            weights.take("b", 1);
            weights.take("a", 1);
            weights.check();
            assertThat(weights.taken().keySet()).containsExactly("b", "a");
        }
    }
}
