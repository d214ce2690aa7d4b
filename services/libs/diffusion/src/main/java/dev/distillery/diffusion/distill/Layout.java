package dev.distillery.diffusion.distill;

import java.util.List;

import dev.distillery.diffusion.unet.UNetConfig.MidKind;

/**
 * What a student keeps of its teacher, as data: the config, the weights and the features to compare follow from it.
 *
 * @param family the teacher's family, within which the name is unique
 * @param down the layers that each down block keeps, from the outermost inwards; the teacher's blocks further inwards go
 * @param up the layers that each up block keeps, from the innermost that stays outwards
 */
public record Layout(String family, String name, List<Kept> down, Mid mid, List<Kept> up) {
    /** Keeps a transformer as deep as the teacher's. */
    public static final int AS_TEACHER = -1;

    /**
     * The kept layers of one block.
     *
     * @param layers the teacher's index of each kept resnet (and its transformer)
     * @param depths how many transformer blocks of each kept layer stay, counted from the first; {@link #AS_TEACHER}: all
     */
    public record Kept(List<Integer> layers, List<Integer> depths) {}

    public record Mid(MidKind kind, int depth) {}
}
