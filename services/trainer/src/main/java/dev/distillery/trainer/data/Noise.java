package dev.distillery.trainer.data;

import java.util.OptionalDouble;

import dev.distillery.trainer.data.LatentsShard.Dimensions;

/**
 * What is added to latents. White noise keeps a picture's mean brightness, which a student then cannot change; noise with
 * slow parts does not.
 *
 * @param offset weight of one more number for each channel, usually 0.05 to 0.1; 0: none
 * @param pyramid discount of noise of ever lower resolution, usually 0.9; empty: none. Scaled to a standard deviation of 1,
 *     over a sample rather than a batch, so that a sample does not depend on its neighbours
 * @param perturbation weight of noise that is added to the input, but is not to be predicted, usually 0.1; 0: none
 * @see <a href="https://github.com/okotaku/diffengine/blob/main/diffengine/models/utils/noise.py">diffengine's OffsetNoise
 *     and PyramidNoise</a>
 * @see <a href="https://arxiv.org/abs/2301.11706">Input perturbation reduces exposure bias in diffusion models</a>
 */
public record Noise(double offset, OptionalDouble pyramid, double perturbation) {
    public static final Noise WHITE = new Noise(0, OptionalDouble.empty(), 0);

    private static final int MOST_LEVELS = 16;

    /** Writes (C, h, w) numbers to {@code target} from {@code at} on. */
    void draw(Draws draws, Dimensions d, float[] target, int at) {
        draws.normal(target, at, at + d.latent());
        if (offset != 0) {
            addOffset(draws, d, target, at);
        }
        if (pyramid.isPresent()) {
            addPyramid(draws, d, target, at);
            standardise(target, at, d.latent());
        }
    }

    private void addOffset(Draws draws, Dimensions d, float[] target, int at) {
        float[] ofChannel = new float[d.channels()];
        draws.normal(ofChannel, 0, ofChannel.length);
        int plane = d.height() * d.width();
        for (int i = 0; i < d.latent(); i++) {
            target[at + i] += (float) offset * ofChannel[i / plane];
        }
    }

    /** Each level is 2 to 4 times smaller, to a growing power, and counts by a growing power of the discount. */
    private void addPyramid(Draws draws, Dimensions d, float[] target, int at) {
        int height = d.height();
        int width = d.width();
        for (int level = 0; level < MOST_LEVELS; level++) {
            double shrink = Math.pow(draws.unit() * 2 + 2, level);
            height = Math.max(1, (int) (height / shrink));
            width = Math.max(1, (int) (width / shrink));
            float[] small = new float[d.channels() * height * width];
            draws.normal(small, 0, small.length);
            addStretched(small, height, width, (float) Math.pow(pyramid.getAsDouble(), level), d, target, at);
            if (height == 1 || width == 1) {
                return;
            }
        }
    }

    /** Bilinear, as {@code torch.nn.Upsample} does it without aligned corners. */
    private static void addStretched(
            float[] small, int height, int width, float factor, Dimensions d, float[] target, int at) {
        for (int c = 0; c < d.channels(); c++) {
            for (int y = 0; y < d.height(); y++) {
                double sy = Math.max(0, (y + 0.5) * height / d.height() - 0.5);
                int y0 = (int) sy;
                int y1 = Math.min(y0 + 1, height - 1);
                for (int x = 0; x < d.width(); x++) {
                    double sx = Math.max(0, (x + 0.5) * width / d.width() - 0.5);
                    int x0 = (int) sx;
                    int x1 = Math.min(x0 + 1, width - 1);
                    int plane = c * height;
                    double upper = mix(small[(plane + y0) * width + x0], small[(plane + y0) * width + x1], sx - x0);
                    double lower = mix(small[(plane + y1) * width + x0], small[(plane + y1) * width + x1], sx - x0);
                    target[at + (c * d.height() + y) * d.width() + x] += factor * (float) mix(upper, lower, sy - y0);
                }
            }
        }
    }

    private static double mix(double a, double b, double portionOfB) {
        return a + (b - a) * portionOfB;
    }

    /** The mean stays: it is what slow noise is for. */
    private static void standardise(float[] target, int at, int count) {
        double sum = 0;
        double squares = 0;
        for (int i = at; i < at + count; i++) {
            sum += target[i];
            squares += (double) target[i] * target[i];
        }
        double deviation = Math.sqrt((squares - sum * sum / count) / (count - 1));
        for (int i = at; i < at + count; i++) {
            target[i] /= (float) deviation;
        }
    }
}
