package dev.distillery.diffusion.distill;

/** The losses of one step, unweighted, and the weighted sum that was minimised. */
public record Losses(double task, double output, double feature, double total) {
    public static final Losses NONE = new Losses(0, 0, 0, 0);

    public boolean finite() {
        return Double.isFinite(total);
    }

    /** These and {@code share} times those of another part of the same batch. */
    public Losses plus(Losses part, double share) {
        return new Losses(
                task + share * part.task,
                output + share * part.output,
                feature + share * part.feature,
                total + share * part.total);
    }
}
