/**
 * Hugging Face's safetensors format without a tensor library: memory-mapped reading one tensor at a time, streaming
 * writing, and conversion between float types. Nothing is ever unpickled.
 */
package dev.distillery.diffusion.safetensors;
