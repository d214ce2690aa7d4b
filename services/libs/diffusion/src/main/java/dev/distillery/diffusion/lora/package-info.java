/** Low-rank adapters of a pipeline's networks, as peft computes them and as diffusers and kohya's scripts save them. */
package dev.distillery.diffusion.lora;
