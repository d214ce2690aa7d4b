package dev.distillery.standalone.evaluation;

import java.util.List;

import dev.distillery.diffusion.schedule.Sampler;

/** Settings that others published numbers with; they stand for what is not given. */
enum PublishedProtocol {
    /**
     * BK-SDM's: 30,000 captions of MS-COCO's validation images, drawn at 512 and looked at 256 pixels. There one generator
     * with the seed draws the noise of all pictures in turn; here each picture has its own.
     *
     * @see <a href="https://github.com/Nota-NetsPresso/BK-SDM/blob/ca5efe0198dda1e56321257aa0e772f3a4354e41/src/generate.py#L13">
     *     generate.py</a>
     */
    NOTA(List.of("clip", "fid", "is"), 30_000, 512, 256, Sampler.Type.PNDM, 25, 7.5, 1234);

    final List<String> scores;
    final int images;
    final int size;
    final int scoredSize;
    final Sampler.Type scheduler;
    final int steps;
    final double guidance;
    final long seed;

    PublishedProtocol(
            List<String> scores,
            int images,
            int size,
            int scoredSize,
            Sampler.Type scheduler,
            int steps,
            double guidance,
            long seed) {
        this.scores = scores;
        this.images = images;
        this.size = size;
        this.scoredSize = scoredSize;
        this.scheduler = scheduler;
        this.steps = steps;
        this.guidance = guidance;
        this.seed = seed;
    }
}
