package dev.distillery.diffusion.schedule;

import java.io.IOException;
import java.nio.file.Files;
import java.util.Map;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.diffusion.Golden;
import dev.distillery.diffusion.tensor.Torch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

/** Against diffusers 0.35.1; golden tensors by {@code src/test/python/golden_pipeline.py}. */
class SchedulesGoldenTest {
    private static JsonNode config(String name) throws IOException {
        return new ObjectMapper()
                .readTree(Files.readAllBytes(Golden.folder("pipeline").resolve(name + ".json")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"eps", "v", "zsnr", "linear", "cosine"})
    void shouldAddNoiseAsDdpmDoes(String name) throws IOException {
        try (NDManager scope = Torch.newManager()) {
            // Given
            Map<String, NDArray> golden =
                    Golden.tensors(Golden.folder("pipeline").resolve("noise.safetensors"), scope);
            NoiseSchedule schedule = NoiseSchedule.of(config("ddpm-" + name));
            NDArray latents = golden.get(name + ".latents");
            NDArray noise = golden.get(name + ".noise");
            NDArray timesteps = scope.create(new long[] {0, 500, 999});
            // Then
            float[] expected = golden.get(name + ".alphas_cumprod").toFloatArray();
            float bound = name.equals("zsnr") ? 1e-6f : 0; // there PyTorch's square root is not always the nearest
            for (int t = 0; t < expected.length; t++) {
                assertThat(schedule.alphasCumprod()[t]).as("timestep " + t).isCloseTo(expected[t], within(bound));
            }
            Golden.assertClose("noisy", schedule.addNoise(latents, noise, timesteps), golden.get(name + ".noisy"));
            Golden.assertClose(
                    "velocity", schedule.velocity(latents, noise, timesteps), golden.get(name + ".velocity"));
        }
    }

    @ParameterizedTest
    @CsvSource({
        "EulerDiscreteScheduler-leading",
        "EulerDiscreteScheduler-trailing",
        "EulerDiscreteScheduler-linspace",
        "DDIMScheduler-leading",
        "DDIMScheduler-trailing",
        "DDIMScheduler-linspace"
    })
    void shouldSampleAsDiffusersDoes(String name) throws IOException {
        for (String kind : new String[] {"epsilon-plain", "epsilon-zsnr", "v_prediction-plain", "v_prediction-zsnr"}) {
            String full = name + "-" + kind;
            if (full.startsWith("DDIM") && full.endsWith("epsilon-zsnr") && !name.endsWith("leading")) {
                continue; // epsilon at zero SNR divides by zero there, in diffusers too
            }
            assertSameSteps(full);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"epsilon", "v_prediction"})
    void shouldClipAndEndAtAlphaOneWhenDdimIsSetTo(String prediction) throws IOException {
        assertSameSteps("DDIMScheduler-defaults-" + prediction);
    }

    @ParameterizedTest
    @CsvSource({"leading, plain", "leading, one", "trailing, plain", "linspace, plain"})
    void shouldSampleWithPndmAsDiffusersDoes(String spacing, String end) throws IOException {
        for (String prediction : new String[] {"epsilon", "v_prediction"}) {
            assertSameSteps("PNDMScheduler-" + spacing + "-" + prediction + "-" + end);
        }
    }

    @Test
    void shouldSampleWithAnotherSchedulerOfTheSameNoise() throws IOException {
        // Given
        ObjectNode euler = config("PNDMScheduler-leading-epsilon-plain").deepCopy();
        euler.put("_class_name", "EulerDiscreteScheduler").remove("skip_prk_steps");
        // When
        ObjectNode pndm = Sampler.Type.PNDM.from(euler);
        // Then
        assertSameSteps("PNDMScheduler-leading-epsilon-plain", pndm);
        assertThat(Sampler.Type.of(euler)).isEqualTo(Sampler.Type.EULER);
    }

    @Test
    void shouldForgetThePictureBeforeWhenPndmBeginsAnother() throws IOException {
        try (NDManager scope = Torch.newManager();
                Sampler used = Sampler.of(config("PNDMScheduler-leading-epsilon-plain"), 3);
                Sampler fresh = Sampler.of(config("PNDMScheduler-leading-epsilon-plain"), 3)) {
            // Given
            NDArray noise = Torch.normal(3, new Shape(1, 4, 4, 4), scope);
            sampled(used, noise.mul(2));
            // When
            NDArray again = sampled(used, noise);
            // Then
            assertThat(again.toFloatArray())
                    .containsExactly(sampled(fresh, noise).toFloatArray());
        }
    }

    private static NDArray sampled(Sampler sampler, NDArray noise) {
        NDArray x = noise;
        for (int i = 0; i < sampler.timesteps().length; i++) {
            try (NDManager step = noise.getManager().newSubManager()) { // as a pipeline does: the step's arrays go
                NDArray seen = sampler.scaleModelInput(x, i);
                seen.attach(step);
                x = sampler.step(seen.tanh(), i, x);
                x.attach(noise.getManager());
            }
        }
        return x;
    }

    private static void assertSameSteps(String name) throws IOException {
        assertSameSteps(name, config(name));
    }

    private static void assertSameSteps(String name, JsonNode config) throws IOException {
        try (NDManager scope = Torch.newManager()) {
            // Given
            Map<String, NDArray> golden =
                    Golden.tensors(Golden.folder("pipeline").resolve("samplers.safetensors"), scope);
            NDArray trace = golden.get(name + ".trace");
            Sampler sampler = Sampler.of(config, 7);
            int passes = sampler.timesteps().length;
            // When
            NDArray x = Torch.normal(3, new Shape(1, 4, 4, 4), scope).mul((float) sampler.initNoiseSigma());
            for (int i = 0; i < passes; i++) {
                Golden.assertClose(name + " before step " + i, x, trace.get(i));
                x = sampler.step(sampler.scaleModelInput(x, i).tanh().mul(0.9f), i, x);
            }
            // Then
            assertThat(sampler.timesteps()).containsExactly(golden64(golden.get(name + ".timesteps")), within(1e-3));
            Golden.assertClose(name, x, trace.get(passes));
            sampler.close();
        }
    }

    @ParameterizedTest
    @CsvSource({"interpolation_type, log_linear", "timestep_type, continuous", "final_sigmas_type, sigma_min"})
    void shouldRefuseASettingThatWouldChangeThePicture(String key, String value) throws IOException {
        ObjectNode config =
                config("EulerDiscreteScheduler-leading-epsilon-plain").deepCopy();
        config.put(key, value);
        assertThatThrownBy(() -> new EulerDiscrete(config, 7))
                .hasMessageContaining("'" + key + "'")
                .hasMessageContaining(value);
    }

    @Test
    void shouldRefuseTheRungeKuttaStepsOfPndm() throws IOException {
        ObjectNode config = config("PNDMScheduler-leading-epsilon-plain").deepCopy();
        config.remove("skip_prk_steps");
        assertThatThrownBy(() -> Sampler.of(config, 7))
                .hasMessageContaining("'skip_prk_steps' must be true but is false");
    }

    private static double[] golden64(NDArray array) {
        float[] floats = array.toFloatArray();
        double[] doubles = new double[floats.length];
        for (int i = 0; i < floats.length; i++) {
            doubles[i] = floats[i];
        }
        return doubles;
    }

    @Test
    void shouldNameASettingThatItDoesNotKnow() throws IOException {
        ObjectNode config = config("ddpm-eps").deepCopy();
        config.put("prediction_type", "sample");
        assertThatThrownBy(() -> NoiseSchedule.of(config))
                .hasMessageContaining("'prediction_type'")
                .hasMessageContaining("epsilon")
                .hasMessageContaining("sample");
    }
}
