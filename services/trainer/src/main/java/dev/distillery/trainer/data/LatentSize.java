package dev.distillery.trainer.data;

/** Height and width of a latent; those of a batch are the same. */
record LatentSize(int height, int width) {

    /** @param name as in {@code 128x96}, height first */
    static LatentSize of(String name) {
        String[] sides = name.split("x");
        return new LatentSize(Integer.parseInt(sides[0]), Integer.parseInt(sides[1]));
    }

    @Override
    public String toString() {
        return height + "x" + width;
    }
}
