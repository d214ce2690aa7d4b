/**
 * Images as the models take them: decoded as Pillow decodes them, resized to the very bytes that Pillow's antialiased
 * bilinear filter gives, so that latents made here equal those of the Python tools.
 */
package dev.distillery.diffusion.image;
