package dev.distillery.diffusion.schedule;

/**
 * The beta schedules of diffusers, in float32.
 *
 * @see <a href="https://github.com/huggingface/diffusers/blob/v0.35.1/src/diffusers/schedulers/scheduling_ddpm.py#L48">
 *     betas_for_alpha_bar, rescale_zero_terminal_snr</a>
 */
final class Betas {
    private Betas() {}

    static float[] of(String schedule, double start, double end, int steps) {
        return switch (schedule) {
            case "linear" -> linspace(start, end, steps);
            case "scaled_linear" -> {
                float[] roots = linspace(Math.sqrt(start), Math.sqrt(end), steps);
                for (int i = 0; i < steps; i++) {
                    roots[i] *= roots[i];
                }
                yield roots;
            }
            case "squaredcos_cap_v2" -> cosine(steps);
            default ->
                throw new IllegalArgumentException("scheduler config: 'beta_schedule' must be linear,"
                        + " scaled_linear or squaredcos_cap_v2 but is " + schedule);
        };
    }

    /** torch.linspace in float32, to the bit: counted from the nearer end, multiplied and added in one rounding. */
    private static float[] linspace(double start, double end, int steps) {
        float[] values = new float[steps];
        float step = ((float) end - (float) start) / (steps - 1);
        for (int i = 0; i < steps; i++) {
            values[i] = i < steps / 2 ? Math.fma(step, i, (float) start) : Math.fma(-step, steps - 1 - i, (float) end);
        }
        return values;
    }

    private static float[] cosine(int steps) {
        float[] betas = new float[steps];
        for (int i = 0; i < steps; i++) {
            betas[i] = (float) Math.min(1 - alphaBar((i + 1.0) / steps) / alphaBar((double) i / steps), 0.999);
        }
        return betas;
    }

    private static double alphaBar(double t) {
        return Math.pow(Math.cos((t + 0.008) / 1.008 * Math.PI / 2), 2);
    }

    /** Products of 1 - beta; torch.cumprod of float32 multiplies in double on the CPU, and rounds what it stores. */
    static float[] alphasCumprod(float[] betas) {
        float[] products = new float[betas.length];
        double product = 1;
        for (int i = 0; i < betas.length; i++) {
            product *= 1 - betas[i];
            products[i] = (float) product;
        }
        return products;
    }

    /**
     * No signal at the last step (arXiv 2305.08891, algorithm 1). Near the end this differs from diffusers' in the last
     * bits, because PyTorch's own square root of float32 is not always the nearest.
     */
    static float[] withZeroTerminalSnr(float[] betas) {
        int n = betas.length;
        float[] roots = alphasCumprod(betas);
        for (int i = 0; i < n; i++) {
            roots[i] = (float) Math.sqrt(roots[i]);
        }
        float first = roots[0];
        float last = roots[n - 1];
        float[] rescaled = new float[n];
        float before = 1;
        for (int i = 0; i < n; i++) {
            float root = (roots[i] - last) * (first / (first - last));
            float bar = root * root;
            rescaled[i] = 1 - bar / before;
            before = bar;
        }
        return rescaled;
    }
}
