package dev.distillery.latentencoding;

import dev.distillery.diffusion.image.RgbImage;

/** @param position of the pair in its data set */
record Sample(long position, RgbImage image, String caption) {}
