package dev.distillery.diffusion.singlefile;

import java.util.List;
import java.util.Set;

import dev.distillery.diffusion.distill.Layouts;
import dev.distillery.diffusion.unet.UNetConfig;

/**
 * Whether ComfyUI knows what a U-Net is when it sees one in a file. It compares the transformer depths of SDXL's down blocks
 * with those of the models that it has; of SD v1 and v2 it does not ask for them.
 *
 * @see <a href="https://github.com/Comfy-Org/ComfyUI/blob/a125cd84b054a57729b5eecab930ca9408719832/comfy/supported_models.py">SDXL, SSD1B,
 *     Segmind_Vega, KOALA_700M, KOALA_1B</a>
 */
public final class ComfyUi {
    private static final Set<List<Integer>> DEPTHS = Set.of(
            List.of(0, 0, 2, 2, 10, 10),
            List.of(0, 0, 2, 2, 4, 4),
            List.of(0, 0, 1, 1, 2, 2),
            List.of(0, 2, 5),
            List.of(0, 2, 6));

    private ComfyUi() {}

    public static boolean recognises(UNetConfig unet) {
        List<Integer> depths =
                unet.down().stream().flatMap(level -> level.depths().stream()).toList();
        return !Layouts.family(unet).equals("sdxl") || DEPTHS.contains(depths);
    }
}
