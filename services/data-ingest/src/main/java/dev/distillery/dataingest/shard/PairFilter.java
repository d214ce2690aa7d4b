package dev.distillery.dataingest.shard;

import dev.distillery.diffusion.image.RgbImage;
import dev.distillery.events.TrainRequest;

/** What a request wants of a pair, beyond a caption and an image that decodes. */
public record PairFilter(TrainRequest.Filter wanted) {

    /** The reason why a caption is not wanted, one of few; null if it is. */
    String problem(String caption) {
        int length = caption.codePointCount(0, caption.length());
        TrainRequest.Lengths lengths = wanted.captionLength();
        if (lengths.min() != null && length < lengths.min()) {
            return "caption too short";
        }
        return lengths.max() != null && length > lengths.max() ? "caption too long" : null;
    }

    /** Whether a pair of this caption may be wanted: one of another needs no image. */
    public boolean wants(String caption) {
        return problem(caption) == null;
    }

    /** The reason why an image is not wanted, as it stands upright; null if it is. */
    String problem(RgbImage image) {
        if (wanted.minSide() != null && Math.min(image.width(), image.height()) < wanted.minSide()) {
            return "image too small";
        }
        double ratio = (double) image.width() / image.height();
        TrainRequest.Range aspect = wanted.aspect();
        boolean within =
                (aspect.min() == null || ratio >= aspect.min()) && (aspect.max() == null || ratio <= aspect.max());
        return within ? null : "aspect out of range";
    }

    boolean dropsDuplicates() {
        return wanted.duplicates().equals("drop");
    }
}
