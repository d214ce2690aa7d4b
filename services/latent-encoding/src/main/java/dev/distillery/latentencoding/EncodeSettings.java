package dev.distillery.latentencoding;

/**
 * What latents depend on besides the data set and the models.
 *
 * @param resolution side of the square in pixels
 * @param randomCrop or the centre
 * @param flip probability of left and right exchanged
 * @param views differently cropped and flipped encodings of each image
 */
public record EncodeSettings(int resolution, boolean randomCrop, double flip, int views) {}
