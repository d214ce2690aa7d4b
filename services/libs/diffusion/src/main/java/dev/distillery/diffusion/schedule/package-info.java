/** Noise schedules and samplers of {@code scheduler_config.json}, equal to diffusers 0.35.1. */
package dev.distillery.diffusion.schedule;
