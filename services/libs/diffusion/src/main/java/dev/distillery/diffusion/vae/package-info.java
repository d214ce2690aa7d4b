/** {@code AutoencoderKL}: images to latents and back, numerically equal to diffusers 0.35.1. */
package dev.distillery.diffusion.vae;
