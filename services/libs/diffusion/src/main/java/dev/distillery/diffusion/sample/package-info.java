/** Text to image with classifier-free guidance, equal to diffusers' pipelines of SDXL and SD v1/v2. */
package dev.distillery.diffusion.sample;
