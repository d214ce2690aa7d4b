package dev.distillery.diffusion.distill;

import java.util.LinkedHashMap;
import java.util.Map;

import dev.distillery.diffusion.unet.StepCost;
import dev.distillery.diffusion.unet.StepCost.InputSize;
import dev.distillery.diffusion.unet.UNetConfig;

/**
 * The sizes of a U-Net that people quote. Operations are multiplications with additions of a forward pass of one image.
 *
 * @param macs with the products inside attention, as PyTorch's flop counter counts (half of its number)
 * @param layerMacs without them, as BK-SDM's script counts
 * @param bytes of the weights by type
 */
public record NetworkSizes(long parameters, long macs, long layerMacs, Map<String, Long> bytes) {
    private static final int TOKENS = 77;

    /** @param pixelsPerLatent sides of an image in those of its latents */
    public static NetworkSizes of(UNetConfig config, int pixels, int pixelsPerLatent) {
        StepCost cost = StepCost.of(config, input(pixels, pixelsPerLatent));
        long parameters = Student.parameterCount(config);
        Map<String, Long> bytes = new LinkedHashMap<>();
        bytes.put("fp32", 4 * parameters);
        bytes.put("fp16", 2 * parameters);
        return new NetworkSizes(parameters, cost.allMacs(), cost.macs(), bytes);
    }

    /** One image and one prompt. */
    public static InputSize input(int pixels, int pixelsPerLatent) {
        int side = pixels / pixelsPerLatent;
        return new InputSize(1, side, side, TOKENS);
    }
}
