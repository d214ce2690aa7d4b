/** CLIP's tokenizer and text encoders, and Stable Diffusion's prompt encoding, equal to transformers 4.55.4. */
package dev.distillery.diffusion.clip;
