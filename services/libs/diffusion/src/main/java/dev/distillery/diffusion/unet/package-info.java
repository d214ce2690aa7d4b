/**
 * {@code UNet2DConditionModel} of SDXL and SD v1/v2, numerically equal to diffusers 0.35.1. Blocks name their weights as
 * diffusers does; the arithmetic of a residual or transformer block is one method of {@code ops.py}.
 */
package dev.distillery.diffusion.unet;
