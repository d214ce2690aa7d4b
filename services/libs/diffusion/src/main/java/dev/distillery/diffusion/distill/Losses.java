package dev.distillery.diffusion.distill;

/** The losses of one step, unweighted, and the weighted sum that was minimised. */
public record Losses(double task, double output, double feature, double total) {
    public boolean finite() {
        return Double.isFinite(total);
    }
}
