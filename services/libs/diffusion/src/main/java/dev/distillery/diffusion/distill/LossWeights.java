package dev.distillery.diffusion.distill;

/**
 * Factors of the three losses (BK-SDM equation 4: lambda_task 1, lambda_OutKD, lambda_FeatKD).
 *
 * @param task against the noise or the velocity
 * @param output against the teacher's prediction
 * @param feature against the teacher's block outputs
 */
public record LossWeights(double task, double output, double feature) {
    public static final LossWeights EQUAL = new LossWeights(1, 1, 1);
}
