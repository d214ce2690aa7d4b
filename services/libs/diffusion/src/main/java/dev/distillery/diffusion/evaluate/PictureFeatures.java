package dev.distillery.diffusion.evaluate;

/**
 * What the networks see in pictures, a row for each: from these all scores follow, whatever parts the pictures were looked at
 * in. Without a network there is no row of its own.
 *
 * @param latents of {@link LatentFeatures}
 * @param inception of what FID compares
 * @param logProbabilities of Inception's classes
 * @param cosines of CLIP's features of picture and caption
 */
public record PictureFeatures(float[][] latents, float[][] inception, float[][] logProbabilities, double[] cosines) {}
