package dev.distillery.diffusion.singlefile;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

import ai.djl.ndarray.types.Shape;
import dev.distillery.diffusion.clip.ClipConfig;
import dev.distillery.diffusion.clip.ClipTextEncoder;
import dev.distillery.diffusion.distill.Layouts;
import dev.distillery.diffusion.safetensors.DType;
import dev.distillery.diffusion.safetensors.Floats;
import dev.distillery.diffusion.safetensors.SafetensorsWriter;
import dev.distillery.diffusion.unet.UNet2DCondition;
import dev.distillery.diffusion.unet.UNetConfig;
import dev.distillery.diffusion.vae.AutoencoderKL;
import dev.distillery.diffusion.vae.VaeConfig;

/** A single file of full size of which there is only the header; all numbers are plus and minus one spread. */
final class Described implements SingleFileSource {
    private record Declared(DType type, long[] shape) {}

    private final Map<String, Declared> tensors = new LinkedHashMap<>();
    private final Map<String, String> metadata = new HashMap<>();
    private final Map<String, String> beside = new HashMap<>();
    private float spread;

    /** With the auto-encoder and the text encoders of the real models. */
    static Described whole(UNetConfig unet) {
        var file = new Described();
        Map<String, Shape> shapes = UNet2DCondition.parameterShapes(unet);
        file.addAll(shapes, OriginalUNet.tensors(unet, shapes.keySet()));
        shapes = AutoencoderKL.parameterShapes(vae(1));
        file.addAll(shapes, OriginalVae.tensors(4, dimensions(shapes)));
        String family = Layouts.family(unet);
        for (OriginalText text : OriginalText.of(family)) {
            shapes = ClipTextEncoder.parameterShapes(text(family, text));
            file.addAll(shapes, text.tensors(shapes.keySet()));
        }
        return file;
    }

    static VaeConfig vae(double scale) {
        return new VaeConfig(3, 4, List.of(128, 256, 512, 512), 2, 32, true, true, true, scale);
    }

    private static ClipConfig text(String family, OriginalText text) {
        return !text.openClip()
                ? new ClipConfig(49408, 768, 3072, 12, 12, 77, true, 1e-5, 2, false, 768)
                : family.equals("sdxl")
                        ? new ClipConfig(49408, 1280, 5120, 20, 32, 77, false, 1e-5, 2, true, 1280)
                        : new ClipConfig(49408, 1024, 4096, 16, 23, 77, false, 1e-5, 2, false, 512);
    }

    private static Map<String, long[]> dimensions(Map<String, Shape> shapes) {
        Map<String, long[]> dimensions = new LinkedHashMap<>();
        shapes.forEach((key, shape) -> dimensions.put(key, shape.getShape()));
        return dimensions;
    }

    private void addAll(Map<String, Shape> shapes, List<OriginalTensor> originals) {
        originals.forEach(original -> add(original.name(), DType.F16, original.shape(dimensions(shapes))));
    }

    /** What files of the original code also hold, and diffusers leaves out. */
    Described withWhatIsLeftOut() {
        add("alphas_cumprod", DType.F32, 1000);
        add("model_ema.decay", DType.F32);
        add("model_ema.diffusion_modelinput_blocks00weight", DType.F32, 320, 4, 3, 3);
        if (tensors.containsKey("cond_stage_model.model.ln_final.weight")) {
            String layer = "cond_stage_model.model.transformer.resblocks.";
            Map.copyOf(tensors).forEach((name, tensor) -> {
                if (name.startsWith(layer + "22.")) {
                    add(name.replace(layer + "22.", layer + "23."), tensor.type, tensor.shape);
                }
            });
            add("cond_stage_model.model.text_projection", DType.F16, 1024, 1024);
            add("cond_stage_model.model.logit_scale", DType.F16);
        } else if (tensors.containsKey("conditioner.embedders.1.model.ln_final.weight")) {
            add("conditioner.embedders.1.model.logit_scale", DType.F16);
            add("conditioner.embedders.0.transformer.text_model.embeddings.position_ids", DType.I64, 1, 77);
        } else {
            add("cond_stage_model.transformer.text_model.embeddings.position_ids", DType.I64, 1, 77);
        }
        return this;
    }

    Described add(String name, DType type, long... shape) {
        tensors.put(name, new Declared(type, shape));
        return this;
    }

    Described without(String prefix) {
        tensors.keySet().removeIf(name -> name.startsWith(prefix));
        return this;
    }

    Described renamed(String prefix, String to) {
        Map.copyOf(tensors).forEach((name, tensor) -> {
            if (name.startsWith(prefix)) {
                tensors.remove(name);
                tensors.put(to + name.substring(prefix.length()), tensor);
            }
        });
        return this;
    }

    Described metadata(String key, String value) {
        metadata.put(key, value);
        return this;
    }

    Described beside(String name, String content) {
        beside.put(name, content);
        return this;
    }

    Described spread(float value) {
        spread = value;
        return this;
    }

    Map<String, long[]> shapes() {
        Map<String, long[]> shapes = new LinkedHashMap<>();
        tensors.forEach((name, tensor) -> shapes.put(name, tensor.shape));
        return shapes;
    }

    private SafetensorsWriter.Plan plan() {
        var plan = new SafetensorsWriter.Plan();
        metadata.forEach(plan::metadata);
        tensors.forEach((name, tensor) -> plan.add(name, tensor.type, tensor.shape));
        return plan;
    }

    @Override
    public String name() {
        return "x.safetensors";
    }

    @Override
    public long size() {
        return plan().fileBytes();
    }

    @Override
    public Optional<byte[]> beside(String name) {
        return Optional.ofNullable(beside.get(name)).map(text -> text.getBytes(StandardCharsets.UTF_8));
    }

    @Override
    public byte[] read(long offset, int length) {
        byte[] header = plan().header();
        if (offset < header.length) {
            return Arrays.copyOfRange(header, (int) offset, (int) offset + length);
        }
        ByteBuffer numbers = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; numbers.hasRemaining(); i++) {
            Floats.put(numbers, DType.F16, i % 2 == 0 ? spread : -spread);
        }
        return numbers.array();
    }

    static String sha256(List<String> lines) {
        try {
            byte[] text = (String.join("\n", lines) + "\n").getBytes(StandardCharsets.UTF_8);
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(text));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
