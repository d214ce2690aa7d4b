package dev.distillery.diffusion.distill;

import java.nio.file.Path;
import java.util.List;

import dev.distillery.diffusion.lora.Lora;

/**
 * Adapters in the text encoders, which learn beside those of the U-Net.
 *
 * @param pipeline diffusers folder with text encoders and tokenizers
 * @param prompts all that the samples of a run have: they are encoded anew for each batch
 * @param learningRate in parts of the U-Net's
 */
public record TextLora(Path pipeline, Lora lora, List<String> prompts, double learningRate) {
    public TextLora {
        prompts = List.copyOf(prompts);
    }
}
