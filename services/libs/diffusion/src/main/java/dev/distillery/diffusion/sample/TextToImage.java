package dev.distillery.diffusion.sample;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.distillery.diffusion.clip.PromptEncoder;
import dev.distillery.diffusion.schedule.Sampler;
import dev.distillery.diffusion.tensor.Torch;
import dev.distillery.diffusion.unet.UNet2DCondition;
import dev.distillery.diffusion.vae.AutoencoderKL;

/**
 * Draws pictures with any U-Net of a model's family: a trainer hands it the teacher and the student that it has in memory.
 *
 * <p>Owns prompt encoder, loaded when it is needed, and auto-encoder. A seed gives what {@code torch.Generator("cpu").manual_seed(seed)} gives in
 * diffusers.
 *
 * @see <a href="https://github.com/huggingface/diffusers/blob/v0.35.1/src/diffusers/pipelines/stable_diffusion_xl/pipeline_stable_diffusion_xl.py#L828">
 *     StableDiffusionXLPipeline.__call__</a>
 */
public final class TextToImage implements AutoCloseable {
    /**
     * @param prompts one picture each
     * @param sizePx height and width
     * @param guidance how far to go from the unconditional towards the conditional prediction; 1 or less: no guidance
     */
    public record Settings(List<String> prompts, int sizePx, int steps, double guidance, long seed) {
        public Settings {
            prompts = List.copyOf(prompts);
        }
    }

    private final NDManager manager = Torch.newManager();
    private final JsonNode scheduler;
    private final Path model;
    private final AutoencoderKL vae;
    private final boolean zerosForEmptyPrompt;
    private PromptEncoder promptEncoder; // null until it is needed

    private TextToImage(Path model, JsonNode scheduler) {
        this.scheduler = scheduler;
        this.model = model;
        vae = AutoencoderKL.load(model.resolve("vae"), manager);
        zerosForEmptyPrompt = index(model).path("force_zeros_for_empty_prompt").asBoolean(true);
    }

    /** Loads everything of a diffusers folder but the U-Net. */
    public static TextToImage load(Path model) {
        return load(model, Sampler.config(model));
    }

    /** As {@link #load(Path)}, with a scheduler of another configuration. */
    public static TextToImage load(Path model, JsonNode scheduler) {
        return new TextToImage(model, scheduler);
    }

    private static JsonNode index(Path model) {
        Path file = model.resolve("model_index.json");
        try {
            return new ObjectMapper().readTree(Files.readAllBytes(file));
        } catch (IOException e) {
            throw new IllegalArgumentException(file + " cannot be read: " + e.getMessage(), e);
        }
    }

    public PromptEncoder promptEncoder() {
        if (promptEncoder == null) {
            promptEncoder = PromptEncoder.load(model, manager);
        }
        return promptEncoder;
    }

    public AutoencoderKL vae() {
        return vae;
    }

    /**
     * Draws.
     *
     * @param scope owner of the result
     * @return pixels {@code (B, 3, H, W)} in [0, 1]
     * @throws IllegalArgumentException if the size is not a multiple of a latent's
     */
    public NDArray render(UNet2DCondition unet, Settings settings, NDManager scope) {
        return render(unet, promptEncoder(), settings, scope);
    }

    /** As the other, with text encoders that were trained beside the U-Net. */
    public NDArray render(UNet2DCondition unet, PromptEncoder prompts, Settings settings, NDManager scope) {
        int scale = vae.config().scale();
        if (settings.sizePx() % scale != 0 || settings.sizePx() < scale) {
            throw new IllegalArgumentException(
                    "the size must be a multiple of " + scale + " pixels but is " + settings.sizePx());
        }
        long side = settings.sizePx() / scale;
        try (Sampler sampler = Sampler.of(scheduler, settings.steps());
                Torch.GradMode off = Torch.gradMode(false);
                NDManager run = scope.newSubManager()) {
            Conditions conditions = conditions(unet, prompts, settings, run);
            NDArray latents = Torch.normal(
                            settings.seed(),
                            new Shape(settings.prompts().size(), vae.config().latentChannels(), side, side),
                            run)
                    .mul((float) sampler.initNoiseSigma());
            double[] timesteps = sampler.timesteps();
            for (int i = 0; i < timesteps.length; i++) {
                try (NDManager step = run.newSubManager()) {
                    latents.attach(step);
                    latents = sampler.step(
                            predict(unet, sampler.scaleModelInput(latents, i), timesteps[i], conditions), i, latents);
                    latents.attach(run);
                }
            }
            NDArray pixels = vae.decode(latents.div((float) vae.config().scalingFactor()));
            NDArray image = pixels.div(2).add(0.5f).clip(0, 1);
            image.attach(scope);
            return image;
        }
    }

    /** What is the same in every step. With guidance, the unconditional half comes first. */
    private record Conditions(NDArray promptEmbeds, NDArray textEmbeds, NDArray timeIds, double guidance) {
        boolean guided() {
            return guidance > 1;
        }
    }

    private Conditions conditions(UNet2DCondition unet, PromptEncoder prompts, Settings settings, NDManager run) {
        int n = settings.prompts().size();
        boolean guided = settings.guidance() > 1;
        PromptEncoder.Prompts text = prompts.encode(settings.prompts(), run);
        NDArray embeds = text.promptEmbeds();
        NDArray pooled = text.pooled();
        if (guided) {
            PromptEncoder.Prompts empty = prompts.encode(Collections.nCopies(n, ""), run);
            boolean zeros = pooled != null && zerosForEmptyPrompt;
            embeds = (zeros ? embeds.zerosLike() : empty.promptEmbeds()).concat(embeds, 0);
            pooled = pooled == null ? null : (zeros ? pooled.zerosLike() : empty.pooled()).concat(pooled, 0);
        }
        NDArray timeIds = null;
        if (unet.config().textTime().isPresent()) {
            float px = settings.sizePx();
            int rows = guided ? 2 * n : n;
            timeIds = run.create(new float[] {px, px, 0, 0, px, px}, new Shape(1, 6))
                    .repeat(0, rows); // (B, 6)
        }
        return new Conditions(embeds, pooled, timeIds, settings.guidance());
    }

    private static NDArray predict(UNet2DCondition unet, NDArray input, double timestep, Conditions c) {
        NDArray doubled = c.guided() ? input.concat(input, 0) : input;
        long rows = doubled.getShape().get(0);
        NDArray timesteps = input.getManager().full(new Shape(rows), (float) timestep);
        NDArray prediction =
                unet.predict(new UNet2DCondition.Input(doubled, timesteps, c.promptEmbeds, c.textEmbeds, c.timeIds));
        if (!c.guided()) {
            return prediction;
        }
        NDArray unconditional = prediction.get(":" + rows / 2);
        NDArray conditional = prediction.get(rows / 2 + ":");
        return unconditional.add(conditional.sub(unconditional).mul((float) c.guidance));
    }

    @Override
    public void close() {
        if (promptEncoder != null) {
            promptEncoder.close();
        }
        manager.close();
    }
}
