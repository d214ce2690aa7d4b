/** A pipeline in one file, by the keys of the original Stable Diffusion code, as ComfyUI and other interfaces load it: written, and read. */
package dev.distillery.diffusion.singlefile;
