package dev.distillery.diffusion.distill;

import dev.distillery.diffusion.schedule.NoiseSchedule.Prediction;

/** How much a sample weighs in a batch's losses, by its signal-to-noise ratio. */
public sealed interface SampleWeighting {
    SampleWeighting EQUAL = new Equal();

    /** @param snr signal power over noise power, 0 or more */
    double weight(double snr, Prediction prediction);

    /** Every sample the same. */
    record Equal() implements SampleWeighting {
        @Override
        public double weight(double snr, Prediction prediction) {
            return 1;
        }
    }

    /**
     * Min-SNR (arXiv 2303.09556): {@code min(SNR, gamma) / SNR}; for velocity, {@code min(SNR, gamma) / (SNR + 1)}. Also
     * for zero terminal SNR.
     *
     * @see <a href="https://github.com/huggingface/diffusers/blob/v0.35.1/examples/text_to_image/train_text_to_image_sdxl.py#L1183">
     *     diffusers' training script</a>
     */
    record MinSnr(double gamma) implements SampleWeighting {
        @Override
        public double weight(double snr, Prediction prediction) {
            return prediction == Prediction.EPSILON
                    ? (snr <= gamma ? 1 : gamma / snr)
                    : Math.min(snr, gamma) / (snr + 1);
        }
    }

    /**
     * Debiased estimation (arXiv 2310.08442): {@code 1 / sqrt(SNR)}; for velocity, {@code 1 / sqrt(SNR + 1)}. A sample
     * without any signal, of which no noise can be told, weighs nothing.
     *
     * @see <a href="https://github.com/okotaku/diffengine/blob/main/diffengine/models/losses/debias_estimation_loss.py">
     *     diffengine's DeBiasEstimationLoss</a>
     */
    record Debiased() implements SampleWeighting {
        @Override
        public double weight(double snr, Prediction prediction) {
            if (prediction == Prediction.V_PREDICTION) {
                return 1 / Math.sqrt(snr + 1);
            }
            return snr == 0 ? 0 : 1 / Math.sqrt(snr);
        }
    }
}
