package dev.distillery.diffusion.clip;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.distillery.diffusion.image.Resampling;
import dev.distillery.diffusion.image.RgbImage;

/**
 * Images as CLIP sees them: the shorter side resized by a cubic filter, the middle square, each colour less its mean in
 * deviations. To the bit what transformers' {@code CLIPImageProcessor} makes of them with Pillow.
 *
 * @param mean of each colour, in [0, 1]
 * @param deviation of each colour
 * @see <a href="https://github.com/huggingface/transformers/blob/v4.55.4/src/transformers/models/clip/image_processing_clip.py#L52">
 *     CLIPImageProcessor</a>
 */
record ClipImages(int px, float[] mean, float[] deviation) {
    private static final float[] MEAN = {0.48145466f, 0.4578275f, 0.40821073f};
    private static final float[] DEVIATION = {0.26862954f, 0.26130258f, 0.27577711f};
    private static final int BICUBIC = 3; // Pillow's number of it

    /**
     * As {@code preprocessor_config.json} says, or CLIP's own numbers where there is none.
     *
     * @param px height and width of what the model sees
     * @throws IllegalArgumentException naming what would make other pixels than those of CLIP
     */
    static ClipImages read(Path folder, int px) {
        Path file = folder.resolve("preprocessor_config.json");
        if (!Files.exists(file)) {
            return new ClipImages(px, MEAN, DEVIATION);
        }
        try {
            return of(file, new ObjectMapper().readTree(Files.readAllBytes(file)), px);
        } catch (IOException e) {
            throw new IllegalArgumentException(file + " cannot be read: " + e.getMessage(), e);
        }
    }

    private static ClipImages of(Path file, JsonNode json, int px) {
        for (String flag : List.of("do_resize", "do_center_crop", "do_rescale", "do_normalize")) {
            demand(file, flag, "true", json.path(flag).asText("true"));
        }
        demand(file, "resample", BICUBIC, json.path("resample").asInt(BICUBIC));
        JsonNode size = json.path("size"); // a number, in old files
        demand(file, "size.shortest_edge", px, size.path("shortest_edge").asInt(size.asInt(px)));
        JsonNode crop = json.path("crop_size");
        demand(file, "crop_size.height", px, crop.path("height").asInt(crop.asInt(px)));
        demand(file, "crop_size.width", px, crop.path("width").asInt(crop.asInt(px)));
        return new ClipImages(px, colours(json.path("image_mean"), MEAN), colours(json.path("image_std"), DEVIATION));
    }

    private static void demand(Path file, String key, Object only, Object actual) {
        if (!only.equals(actual)) {
            throw new IllegalArgumentException(file + ": '" + key + "' must be " + only + " but is " + actual);
        }
    }

    private static float[] colours(JsonNode json, float[] otherwise) {
        return json.size() == 3
                ? new float[] {
                    json.get(0).floatValue(),
                    json.get(1).floatValue(),
                    json.get(2).floatValue()
                }
                : otherwise;
    }

    /** Images of any sizes as {@code (B, 3, px, px)}. */
    NDArray pixels(List<RgbImage> images, NDManager scope) {
        int plane = px * px;
        float[] values = new float[Math.multiplyExact(3 * plane, images.size())];
        int at = 0;
        for (RgbImage image : images) {
            RgbImage covering = image.resizeToCover(px, px, Resampling.BICUBIC);
            byte[] rgb = covering.crop((covering.width() - px) / 2, (covering.height() - px) / 2, px, px)
                    .rgb();
            for (int c = 0; c < 3; c++) {
                for (int i = c; i < rgb.length; i += 3) {
                    values[at++] = ((float) ((rgb[i] & 0xff) * (1 / 255.0)) - mean[c]) / deviation[c];
                }
            }
        }
        return scope.create(values, new Shape(images.size(), 3, px, px));
    }
}
