package dev.distillery.diffusion.singlefile;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

import dev.distillery.diffusion.distill.Layouts;
import dev.distillery.diffusion.safetensors.DType;
import dev.distillery.diffusion.safetensors.SafetensorsFolder;
import dev.distillery.diffusion.safetensors.SafetensorsWriter;
import dev.distillery.diffusion.safetensors.TensorInfo;
import dev.distillery.diffusion.singlefile.OriginalTensor.Change;
import dev.distillery.diffusion.unet.UNetConfig;
import dev.distillery.diffusion.vae.VaeConfig;

/**
 * A U-Net with the auto-encoder and the text encoders of its pipeline, to be written into one file. Weights stream from the
 * mapped folders through one buffer.
 */
public final class SingleFile implements AutoCloseable {
    private record Component(SafetensorsFolder folder, Map<String, TensorInfo> infos, List<OriginalTensor> tensors) {}

    private final UNetConfig unet;
    private final List<Component> components = new ArrayList<>();

    /** What the file says of itself, by Stability AI's {@code modelspec} 1.0.1. */
    public record About(String title, String description, int resolution, String date, boolean velocity) {}

    /**
     * @param unet folder of the U-Net
     * @param pipeline diffusers folder with the other components
     * @throws IllegalArgumentException if a U-Net has a part that the original code does not know
     */
    public SingleFile(Path unet, Path pipeline) {
        this.unet = UNetConfig.read(unet);
        try {
            add(unet, keys -> OriginalUNet.tensors(this.unet, keys.keySet()));
            Path vae = pipeline.resolve("vae");
            int levels = VaeConfig.read(vae).channels().size();
            add(vae, shapes -> OriginalVae.tensors(levels, shapes));
            Path text = pipeline.resolve("text_encoder");
            switch (Layouts.family(this.unet)) {
                case "sdxl" -> {
                    add(text, keys -> OriginalText.clip("conditioner.embedders.0.transformer.", keys.keySet()));
                    add(
                            pipeline.resolve("text_encoder_2"),
                            keys -> OriginalText.openClip("conditioner.embedders.1.model.", keys.keySet()));
                }
                case "sd2" -> add(text, keys -> OriginalText.openClip("cond_stage_model.model.", keys.keySet()));
                default -> add(text, keys -> OriginalText.clip("cond_stage_model.transformer.", keys.keySet()));
            }
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    /** @param names what becomes of the component's tensors, whose shapes it is given by key */
    private void add(Path folder, Function<Map<String, long[]>, List<OriginalTensor>> names) {
        SafetensorsFolder weights = SafetensorsFolder.open(folder);
        try {
            Map<String, TensorInfo> infos = weights.tensors();
            Map<String, long[]> shapes = new LinkedHashMap<>();
            infos.forEach((key, tensor) -> shapes.put(key, tensor.shape()));
            components.add(new Component(weights, infos, names.apply(shapes)));
        } catch (RuntimeException e) {
            weights.close();
            throw e;
        }
    }

    /** @param type of every float of the file */
    public void write(WritableByteChannel channel, DType type, About about) throws IOException {
        var plan = new SafetensorsWriter.Plan();
        metadata(about).forEach(plan::metadata);
        for (Component component : components) {
            for (OriginalTensor tensor : component.tensors) {
                plan.add(tensor.name(), type(component, tensor, type), shape(component, tensor));
            }
        }
        try (var writer = new SafetensorsWriter(channel, plan)) {
            for (Component component : components) {
                for (OriginalTensor tensor : component.tensors) {
                    DType from = info(component, tensor.from().get(0)).dtype();
                    writer.convert(tensor.name(), from, data(component, tensor));
                }
            }
        }
    }

    private static TensorInfo info(Component component, String key) {
        return component.infos.get(key);
    }

    /** Position ids, if there are any, stay whole numbers. */
    private static DType type(Component component, OriginalTensor tensor, DType type) {
        DType from = info(component, tensor.from().get(0)).dtype();
        return from == DType.I64 || from == DType.I32 ? from : type;
    }

    private static long[] shape(Component component, OriginalTensor tensor) {
        long[] first = info(component, tensor.from().get(0)).shape();
        return switch (tensor.change()) {
            case AS_KERNEL -> new long[] {first[0], first[1], 1, 1};
            case TRANSPOSED -> new long[] {first[1], first[0]};
            case NONE -> {
                long[] joined = first.clone();
                joined[0] = tensor.from().stream()
                        .mapToLong(key -> info(component, key).shape()[0])
                        .sum();
                yield joined;
            }
        };
    }

    private static ByteBuffer[] data(Component component, OriginalTensor tensor) {
        if (tensor.change() == Change.TRANSPOSED) {
            TensorInfo info = info(component, tensor.from().get(0));
            return new ByteBuffer[] {transposed(component.folder.data(info.name()), info)};
        }
        return tensor.from().stream().map(component.folder::data).toArray(ByteBuffer[]::new);
    }

    private static ByteBuffer transposed(ByteBuffer data, TensorInfo info) {
        int bytes = info.dtype().bytes();
        int rows = Math.toIntExact(info.shape()[0]);
        int columns = Math.toIntExact(info.shape()[1]);
        ByteBuffer turned = ByteBuffer.allocate(data.remaining()).order(ByteOrder.LITTLE_ENDIAN);
        int start = data.position();
        for (int column = 0; column < columns; column++) {
            for (int row = 0; row < rows; row++) {
                turned.put(data.slice(start + (row * columns + column) * bytes, bytes));
            }
        }
        return turned.flip();
    }

    private Map<String, String> metadata(About about) {
        Map<String, String> metadata = new LinkedHashMap<>();
        boolean sdxl = Layouts.family(unet).equals("sdxl");
        metadata.put("modelspec.sai_model_spec", "1.0.1");
        metadata.put(
                "modelspec.architecture",
                switch (Layouts.family(unet)) {
                    case "sdxl" -> "stable-diffusion-xl-v1-base";
                    case "sd2" -> about.velocity ? "stable-diffusion-v2-768-v" : "stable-diffusion-v2-512";
                    default -> "stable-diffusion-v1";
                });
        metadata.put(
                "modelspec.implementation",
                sdxl
                        ? "https://github.com/Stability-AI/generative-models"
                        : "https://github.com/CompVis/stable-diffusion");
        metadata.put("modelspec.title", about.title);
        metadata.put("modelspec.description", about.description);
        metadata.put("modelspec.resolution", about.resolution + "x" + about.resolution);
        metadata.put("modelspec.date", about.date);
        metadata.put("modelspec.prediction_type", about.velocity ? "v" : "epsilon");
        return metadata;
    }

    @Override
    public void close() {
        components.forEach(component -> component.folder.close());
    }
}
