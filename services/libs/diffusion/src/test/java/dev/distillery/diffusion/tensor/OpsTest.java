package dev.distillery.diffusion.tensor;

import java.util.ArrayList;
import java.util.List;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class OpsTest {
    @Test
    void shouldDifferentiateABlockByEveryWeight() {
        try (NDManager scope = Torch.newManager();
                Torch.GradMode on = Torch.gradMode(true)) {
            // Given
            NDArray x = Torch.normal(0, new Shape(2, 8, 6, 6), scope);
            NDArray temb = Torch.normal(1, new Shape(2, 16), scope);
            var weights = new ArrayList<NDArray>();
            long[][] shapes = {
                {8}, {8}, {16, 8, 3, 3}, {16}, {16, 16}, {16}, {16}, {16}, {16, 16, 3, 3}, {16}, {16, 8, 1, 1}, {16}
            };
            for (long[] shape : shapes) {
                NDArray w = scope.randomNormal(new Shape(shape)).mul(0.1);
                w.setRequiresGradient(true);
                weights.add(w);
            }
            // When
            NDArray y = Ops.call("resnet", x, temb, weights, 4, 1e-5);
            Torch.backward(y.square().mean(), 1);
            // Then
            assertThat(y.getShape()).isEqualTo(new Shape(2, 16, 6, 6));
            assertThat(weights)
                    .allSatisfy(
                            w -> assertThat(w.getGradient().norm().getFloat()).isPositive());
        }
    }

    @Test
    void shouldClipToTheGlobalNorm() {
        try (NDManager scope = Torch.newManager()) {
            // Given
            NDArray a = scope.create(new float[] {3, 0});
            NDArray b = scope.create(new float[] {0, 4});
            // When
            float norm = Ops.clipGradNorm(List.of(a, b), 1).getFloat();
            // Then
            assertThat(norm).isEqualTo(5f);
            assertThat(a.toFloatArray()[0]).isCloseTo(0.6f, org.assertj.core.data.Offset.offset(1e-5f));
            assertThat(b.toFloatArray()[1]).isCloseTo(0.8f, org.assertj.core.data.Offset.offset(1e-5f));
        }
    }

    @Test
    void shouldDrawWhatPyTorchDraws() {
        try (NDManager scope = Torch.newManager()) {
            // When: torch.manual_seed(5); torch.randn(4) in PyTorch 2.7.1
            float[] drawn = Torch.normal(5, new Shape(4), scope).toFloatArray();
            // Then
            assertThat(drawn).containsExactly(PYTORCH, org.assertj.core.data.Offset.offset(1e-6f));
        }
    }

    private static final float[] PYTORCH = {
        -0.4867807626724243f, -0.6038215756416321f, -0.5580962300300598f, 0.6675242781639099f
    };
}
