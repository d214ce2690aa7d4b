package dev.distillery.trainer.run;

import dev.distillery.diffusion.unet.UNet2DCondition;

/** Draws an image of a prompt with a given network, everything else being the teacher's. */
interface Painter extends AutoCloseable {

    /** A PNG; the same prompt, seed and network give the same image. */
    byte[] paint(UNet2DCondition unet, String prompt, long seed);

    @Override
    void close();
}
