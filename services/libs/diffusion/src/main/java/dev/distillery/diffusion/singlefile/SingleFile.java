package dev.distillery.diffusion.singlefile;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
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
    private record Component(
            SafetensorsFolder folder,
            Map<String, TensorInfo> infos,
            Map<String, long[]> shapes,
            List<OriginalTensor> tensors) {}

    private static final ObjectMapper JSON = new ObjectMapper();

    private final UNetConfig unet;
    private final List<Component> components = new ArrayList<>();
    private final Map<String, String> configs = new LinkedHashMap<>();

    /** What the file says of itself, by Stability AI's {@code modelspec} 1.0.1. */
    public record About(String title, String description, int resolution, String date, boolean velocity) {}

    /**
     * @param unet folder of the U-Net
     * @param pipeline diffusers folder with the other components
     * @throws IllegalArgumentException if a U-Net has a part that the original code does not know
     */
    public SingleFile(Path unet, Path pipeline) {
        this(new Components(pipeline, Map.of("unet", unet)));
    }

    /** @throws IllegalArgumentException if a U-Net has a part that the original code does not know */
    public SingleFile(Components pipeline) {
        this.unet = UNetConfig.read(pipeline.of("unet"));
        try {
            add(pipeline.of("unet"), shapes -> OriginalUNet.tensors(this.unet, shapes.keySet()));
            Path vae = pipeline.of("vae");
            int levels = VaeConfig.read(vae).channels().size();
            add(vae, shapes -> OriginalVae.tensors(levels, shapes));
            for (OriginalText text : OriginalText.of(Layouts.family(this.unet))) {
                add(pipeline.of(text.folder()), shapes -> text.tensors(shapes.keySet()));
            }
            configs(pipeline);
        } catch (IOException e) {
            close();
            throw new UncheckedIOException(e);
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    /** What shapes do not tell, such as heads of attention, is told by the folder's own configurations. */
    private void configs(Components pipeline) throws IOException {
        for (String name : SingleFileConfigs.NAMES) {
            Path file = pipeline.file(name);
            if (Files.exists(file)) {
                JsonNode json = JSON.readTree(Files.readAllBytes(file));
                configs.put(SingleFileConfigs.METADATA + name, JSON.writeValueAsString(json));
            }
        }
    }

    /** @param names what becomes of the component's tensors, whose shapes it is given by key */
    private void add(Path folder, Function<Map<String, long[]>, List<OriginalTensor>> names) {
        SafetensorsFolder weights = SafetensorsFolder.open(folder);
        try {
            Map<String, TensorInfo> infos = weights.tensors();
            Map<String, long[]> shapes = new LinkedHashMap<>();
            infos.forEach((key, tensor) -> shapes.put(key, tensor.shape()));
            components.add(new Component(weights, infos, shapes, names.apply(shapes)));
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
                plan.add(tensor.name(), type(component, tensor, type), tensor.shape(component.shapes));
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

    private static ByteBuffer[] data(Component component, OriginalTensor tensor) {
        if (tensor.change() == Change.TRANSPOSED) {
            TensorInfo info = info(component, tensor.from().get(0));
            ByteBuffer data = component.folder.data(info.name());
            return new ByteBuffer[] {
                OriginalTensor.transposed(data, info.shape(), info.dtype().bytes())
            };
        }
        return tensor.from().stream().map(component.folder::data).toArray(ByteBuffer[]::new);
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
        metadata.putAll(configs);
        return metadata;
    }

    @Override
    public void close() {
        components.forEach(component -> component.folder.close());
    }
}
