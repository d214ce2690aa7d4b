package dev.distillery.diffusion.singlefile;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.Random;

import ai.djl.ndarray.types.Shape;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.diffusion.clip.ClipConfig;
import dev.distillery.diffusion.clip.ClipTextEncoder;
import dev.distillery.diffusion.distill.Families;
import dev.distillery.diffusion.distill.Layouts;
import dev.distillery.diffusion.distill.Student;
import dev.distillery.diffusion.safetensors.DType;
import dev.distillery.diffusion.safetensors.SafetensorsWriter;
import dev.distillery.diffusion.unet.UNet2DCondition;
import dev.distillery.diffusion.unet.UNetConfig;
import dev.distillery.diffusion.vae.AutoencoderKL;
import dev.distillery.diffusion.vae.VaeConfig;

/** A diffusers folder of any family and layout with small widths and random weights in fp16. */
final class SmallPipeline {
    private static final ObjectMapper JSON = new ObjectMapper();

    private SmallPipeline() {}

    static Path write(Path folder, String family, String layout) throws IOException {
        UNetConfig teacher = teacher(family);
        UNetConfig unet = Student.of(teacher, Layouts.named(teacher, layout)).config();
        json(folder.resolve("model_index.json"), SingleFileConfigs.ofFamily(family, "model_index.json"));
        json(
                folder.resolve("scheduler/scheduler_config.json"),
                SingleFileConfigs.ofFamily(family, "scheduler/scheduler_config.json"));
        component(
                folder.resolve("unet"), unet.json(), UNet2DCondition.parameterShapes(unet), "diffusion_pytorch_model");
        ObjectNode vae = SingleFileConfigs.ofFamily(family, "vae/config.json");
        vae.putArray("block_out_channels").add(32).add(64);
        vae.putArray("down_block_types").add("DownEncoderBlock2D").add("DownEncoderBlock2D");
        vae.putArray("up_block_types").add("UpDecoderBlock2D").add("UpDecoderBlock2D");
        vae.put("layers_per_block", 1);
        component(
                folder.resolve("vae"),
                vae,
                AutoencoderKL.parameterShapes(VaeConfig.of("vae", vae)),
                "diffusion_pytorch_model");
        for (OriginalText text : OriginalText.of(family)) {
            ObjectNode config = SingleFileConfigs.ofFamily(family, text.folder() + "/config.json");
            config.put("vocab_size", 49408).put("hidden_size", 64).put("intermediate_size", 128);
            config.put("num_attention_heads", 1).put("num_hidden_layers", 2).put("max_position_embeddings", 77);
            config.put("projection_dim", 32);
            component(
                    folder.resolve(text.folder()),
                    config,
                    ClipTextEncoder.parameterShapes(ClipConfig.of("text", config)),
                    "model");
        }
        return folder;
    }

    private static UNetConfig teacher(String family) {
        ObjectNode json = Families.unet(family).json().deepCopy();
        var channels = json.putArray("block_out_channels").add(64).add(64).add(128);
        if (family.equals("sdxl")) {
            json.put("addition_time_embed_dim", 32).put("projection_class_embeddings_input_dim", 32 + 6 * 32);
        } else {
            channels.add(128);
        }
        if (!family.equals("sd1")) {
            var heads = json.putArray("attention_head_dim");
            channels.forEach(width -> heads.add(width.asInt() / 64));
        }
        return UNetConfig.of(json.put("cross_attention_dim", 64));
    }

    private static void component(Path folder, ObjectNode config, Map<String, Shape> shapes, String name)
            throws IOException {
        json(folder.resolve("config.json"), config);
        var plan = new SafetensorsWriter.Plan();
        shapes.forEach((key, shape) -> plan.add(key, DType.F16, shape.getShape()));
        var random = new Random(0);
        try (var writer = new SafetensorsWriter(
                FileChannel.open(
                        folder.resolve(name + ".safetensors"),
                        StandardOpenOption.CREATE,
                        StandardOpenOption.TRUNCATE_EXISTING,
                        StandardOpenOption.WRITE),
                plan)) {
            for (var tensor : plan.tensors()) {
                byte[] bytes = new byte[(int) tensor.bytes()];
                for (int i = 0; i < bytes.length; i++) {
                    bytes[i] = (byte) (random.nextInt() & (i % 2 == 0 ? 0xff : 0xbb)); // neither infinite nor NaN
                }
                writer.write(tensor.name(), ByteBuffer.wrap(bytes));
            }
        }
    }

    private static void json(Path file, ObjectNode json) throws IOException {
        Files.createDirectories(file.getParent());
        JSON.writeValue(file.toFile(), json);
    }
}
