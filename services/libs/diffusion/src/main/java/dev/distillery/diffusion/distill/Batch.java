package dev.distillery.diffusion.distill;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;

import ai.djl.ndarray.NDArray;
import dev.distillery.diffusion.clip.PromptEncoder;
import dev.distillery.diffusion.unet.UNet2DCondition;

/**
 * What one step learns from.
 *
 * @param latents scaled latents {@code (B, C, H, W)}
 * @param noise of the same shape, to be predicted
 * @param inputNoise what the latents are mixed with: {@code noise}, unless that is perturbed
 * @param timesteps {@code (B)} int64, 0..999
 * @param promptEmbeds {@code (B, L, D)}
 * @param textEmbeds pooled prompt embedding {@code (B, P)}; null for SD v1/v2
 * @param timeIds {@code (B, 6)}; null for SD v1/v2
 * @param weights (B), how much each sample counts in the losses, which are means over the batch; null: 1
 * @param prompts (B), which of the run's prompts each sample has; looked at where text encoders learn, in place of
 *     {@code promptEmbeds} and {@code textEmbeds}
 */
public record Batch(
        NDArray latents,
        NDArray noise,
        NDArray inputNoise,
        NDArray timesteps,
        NDArray promptEmbeds,
        NDArray textEmbeds,
        NDArray timeIds,
        float[] weights,
        int[] prompts) {

    /** Of noise that is not perturbed, and of samples that count the same. */
    public Batch(
            NDArray latents,
            NDArray noise,
            NDArray timesteps,
            NDArray promptEmbeds,
            NDArray textEmbeds,
            NDArray timeIds) {
        this(latents, noise, noise, timesteps, promptEmbeds, textEmbeds, timeIds, null, null);
    }

    /**
     * A batch that was saved by these names; SD v1/v2 have no {@code text_embeds} and {@code time_ids}.
     *
     * @throws IllegalArgumentException naming the file and what it lacks
     */
    public static Batch of(Path file, Map<String, NDArray> tensors) {
        for (String name : List.of("latents", "noise", "timesteps", "prompt_embeds")) {
            if (!tensors.containsKey(name)) {
                throw new IllegalArgumentException(
                        file + ": a batch needs the tensor '" + name + "' but holds " + tensors.keySet());
            }
        }
        return new Batch(
                tensors.get("latents"),
                tensors.get("noise"),
                tensors.get("timesteps"),
                tensors.get("prompt_embeds"),
                tensors.get("text_embeds"),
                tensors.get("time_ids"));
    }

    /** The same with the prompts encoded. */
    Batch with(PromptEncoder.Prompts encoded) {
        return new Batch(
                latents,
                noise,
                inputNoise,
                timesteps,
                encoded.promptEmbeds(),
                encoded.pooled(),
                timeIds,
                weights,
                prompts);
    }

    UNet2DCondition.Input input(NDArray noisyLatents) {
        return new UNet2DCondition.Input(noisyLatents, timesteps, promptEmbeds, textEmbeds, timeIds);
    }
}
