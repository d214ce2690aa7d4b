package dev.distillery.latentencoding;

import java.nio.file.Path;

import ai.djl.ndarray.NDManager;
import dev.distillery.diffusion.clip.PromptEncoder;
import dev.distillery.diffusion.tensor.Torch;
import dev.distillery.diffusion.vae.AutoencoderKL;

/** The networks of a teacher that data go through once: its auto-encoder and its text encoders. */
public final class Encoders implements AutoCloseable {
    private final NDManager weights = Torch.newManager();
    private final AutoencoderKL vae;
    private final PromptEncoder prompts;

    /** @param model a diffusers folder */
    public Encoders(Path model) {
        try {
            this.vae = AutoencoderKL.load(model.resolve("vae"), weights);
            this.prompts = PromptEncoder.load(model, weights);
        } catch (RuntimeException e) {
            weights.close();
            throw e;
        }
    }

    AutoencoderKL vae() {
        return vae;
    }

    PromptEncoder prompts() {
        return prompts;
    }

    @Override
    public void close() {
        prompts.close();
        weights.close();
    }
}
