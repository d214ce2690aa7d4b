package dev.distillery.diffusion.singlefile;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Set;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.diffusion.safetensors.Floats;
import dev.distillery.diffusion.safetensors.SafetensorsHeader;
import dev.distillery.diffusion.safetensors.TensorInfo;

/** What the U-Net of a single file was trained to predict. */
final class Prediction {
    private static final String SAID = "modelspec.prediction_type";

    /** Of the last transformer of SD v2: its spread tells those that predict v. */
    private static final String TELLING = OriginalUNet.PREFIX + "output_blocks.11.1.transformer_blocks.0.norm1.bias";

    private static final double LEAST_SPREAD_OF_V = 0.09;

    private Prediction() {}

    /**
     * What the metadata say; else v where there is a tensor {@code v_pred}, with zero terminal SNR where there is
     * {@code ztsnr}; else, of SD v2, what a weight tells, and v where it is not there, as diffusers does; else epsilon.
     *
     * @see <a href="https://github.com/Comfy-Org/ComfyUI/blob/a125cd84b054a57729b5eecab930ca9408719832/comfy/supported_models.py#L94">
     *     ComfyUI's SD20.model_type, SDXL.model_type</a>
     */
    static void write(ObjectNode scheduler, String family, SafetensorsHeader header, SafetensorsHeader.Bytes bytes)
            throws IOException {
        boolean velocity;
        String said = header.metadata().get(SAID);
        if (said != null) {
            velocity = Set.of("v", "v_prediction").contains(said);
            if (!velocity && !said.equals("epsilon")) {
                throw new IllegalArgumentException(
                        "has the metadata " + SAID + " '" + said + "', which must be epsilon or v");
            }
        } else {
            velocity = header.tensors().containsKey("v_pred") || family.equals("sd2") && spreads(header, bytes);
        }
        scheduler.put("prediction_type", velocity ? "v_prediction" : "epsilon");
        if (velocity && header.tensors().containsKey("ztsnr")) {
            scheduler.put("rescale_betas_zero_snr", true);
        }
    }

    private static boolean spreads(SafetensorsHeader header, SafetensorsHeader.Bytes bytes) throws IOException {
        TensorInfo telling = header.tensors().get(TELLING);
        if (telling == null) {
            return true;
        }
        ByteBuffer data = ByteBuffer.wrap(
                        bytes.read(header.dataStart() + telling.offset(), Math.toIntExact(telling.bytes())))
                .order(ByteOrder.LITTLE_ENDIAN);
        double sum = 0;
        double squares = 0;
        long n = telling.elements();
        for (long i = 0; i < n; i++) {
            double value = Floats.get(data, telling.dtype());
            sum += value;
            squares += value * value;
        }
        return Math.sqrt(squares / n - sum / n * (sum / n)) > LEAST_SPREAD_OF_V;
    }
}
