package dev.distillery.converter;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.Stream;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.artifacts.FolderWriter;
import dev.distillery.artifacts.Folders;
import dev.distillery.diffusion.clip.ClipConfig;
import dev.distillery.diffusion.clip.ClipTextEncoder;
import dev.distillery.diffusion.clip.PromptEncoder;
import dev.distillery.diffusion.distill.Families;
import dev.distillery.diffusion.distill.Layouts;
import dev.distillery.diffusion.distill.Student;
import dev.distillery.diffusion.lora.Lora;
import dev.distillery.diffusion.lora.SavedLora;
import dev.distillery.diffusion.safetensors.DType;
import dev.distillery.diffusion.safetensors.PrettyJson;
import dev.distillery.diffusion.safetensors.SafetensorsFolder;
import dev.distillery.diffusion.safetensors.SafetensorsWriter;
import dev.distillery.diffusion.safetensors.SavedWeights;
import dev.distillery.diffusion.tensor.SavedTensors;
import dev.distillery.diffusion.tensor.Torch;
import dev.distillery.diffusion.unet.UNet2DCondition;
import dev.distillery.diffusion.unet.UNetConfig;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

/**
 * What is written, read by the real diffusers: every layout of every family, narrow but of the same blocks, and pipelines. Runs where
 * {@code DISTILLERY_PYTHON} names a Python with diffusers; check_diffusers.py tells what it looks at.
 */
class DiffusersTest {
    private static final Path EXAMPLE = Path.of("../../deploy/examples/mini-sdxl");
    private static final Path SCRIPT = Path.of("src/test/python/check_diffusers.py");
    private static final ObjectMapper JSON = new ObjectMapper();

    /** What makes each family narrow. */
    private static final Map<String, String> NARROW = Map.of(
            "sdxl",
            """
            {"block_out_channels": [8, 16, 24], "attention_head_dim": [1, 2, 3], "cross_attention_dim": 20,
             "addition_time_embed_dim": 6, "projection_class_embeddings_input_dim": 48}
            """,
            "sd1",
            """
            {"block_out_channels": [8, 12, 16, 16], "attention_head_dim": 4, "cross_attention_dim": 32}
            """,
            "sd2",
            """
            {"block_out_channels": [8, 12, 16, 16], "attention_head_dim": [2, 3, 4, 4], "cross_attention_dim": 32}
            """);

    @TempDir
    static Path dir;

    private static final Map<String, List<String>> COMPLAINTS = new LinkedHashMap<>();

    static Stream<String> layouts() {
        return Families.NAMES.stream()
                .flatMap(family -> Stream.concat(Layouts.names(family).stream(), Stream.of(Layouts.TEACHER))
                        .map(layout -> family + " " + layout));
    }

    static Stream<String> pipelines() {
        return Stream.of("sdxl-of-variants", "sd1", "sd2-velocity");
    }

    @BeforeAll
    static void askDiffusers() throws IOException, InterruptedException {
        String python = System.getenv("DISTILLERY_PYTHON");
        if (python == null) {
            System.err.println("DiffusersTest is skipped: DISTILLERY_PYTHON names no Python with diffusers");
        }
        assumeTrue(python != null, "DISTILLERY_PYTHON names no Python with diffusers");
        for (String layout : layouts().toList()) {
            String[] names = layout.split(" ");
            convert(names[0], names[1]);
        }
        writePipelines();
        writeLoras();
        Process process = new ProcessBuilder(python, SCRIPT.toString(), dir.toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).isZero();
        for (String line : said.lines().toList()) {
            JsonNode answer = JSON.readTree(line);
            COMPLAINTS.put(
                    answer.path("name").asText(),
                    JSON.convertValue(
                            answer.path("complaints"),
                            JSON.getTypeFactory().constructCollectionType(List.class, String.class)));
        }
    }

    @ParameterizedTest
    @MethodSource("layouts")
    void shouldBeWhatDiffusersWritesAndPredictTheSame(String layout) {
        assertThat(COMPLAINTS.get(layout.replace(' ', '-'))).isNotNull().isEmpty();
    }

    /** By diffusers' and by kohya's keys, it makes of the base what it was merged into. */
    @ParameterizedTest
    @ValueSource(strings = {"lora", "lora-text"})
    void shouldBeALoraThatDiffusersLoads(String name) {
        assertThat(COMPLAINTS.get(name)).isNotNull().isEmpty();
    }

    @ParameterizedTest
    @MethodSource("pipelines")
    void shouldBeAPipelineThatDiffusersLoads(String pipeline) {
        assertThat(COMPLAINTS.get(pipeline)).isNotNull().isEmpty();
    }

    /** Makes a student, converts it in two ways, and keeps what it predicts. */
    private static void convert(String family, String layout) throws IOException {
        Path unet = makeUnet(family, layout, dir.resolve("made").resolve(family + "-" + layout));
        Path to = Files.createDirectories(dir.resolve("unets").resolve(family + "-" + layout));
        var conversion = new Conversion("made", "for the test", unet, null, 64);
        conversion.write(options(Set.of(), "fp32", null, "10GB"), Map.of(), FolderWriter.of(to.resolve("fp32")));
        conversion.write(options(Set.of(), "fp16", "fp16", "100KB"), Map.of(), FolderWriter.of(to.resolve("fp16")));
        predict(to.resolve("fp32/unet"), to.resolve("batch.safetensors"));
    }

    private static Options options(Set<String> save, String dtype, String variant, String maxShardSize) {
        return new Options(save, dtype, Optional.ofNullable(variant), maxShardSize);
    }

    private static Path makeUnet(String family, String layout, Path folder) throws IOException {
        ObjectNode json = Families.unet(family).json().deepCopy();
        json.setAll((ObjectNode) JSON.readTree(NARROW.get(family)));
        json.put("norm_num_groups", 4).put("sample_size", 8);
        UNetConfig teacher = UNetConfig.of(json);
        Student student = Student.of(teacher, Layouts.named(teacher, layout));
        Map<String, Shape> shapes = UNet2DCondition.parameterShapes(teacher);
        Files.createDirectories(folder);
        Files.write(
                folder.resolve("config.json"), PrettyJson.bytes(student.config().json()));
        var tensors = new LinkedHashMap<String, ByteBuffer>();
        var plan = new SafetensorsWriter.Plan();
        student.teacherKeys().forEach((key, source) -> {
            plan.add(key, DType.F32, shapes.get(source).getShape());
            tensors.put(key, numbers(source, shapes.get(source)));
        });
        write(folder.resolve("diffusion_pytorch_model.safetensors"), plan, tensors);
        return folder;
    }

    private static void write(Path file, SafetensorsWriter.Plan plan, Map<String, ByteBuffer> tensors)
            throws IOException {
        try (var writer = new SafetensorsWriter(
                FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE), plan)) {
            for (Map.Entry<String, ByteBuffer> tensor : tensors.entrySet()) {
                writer.write(tensor.getKey(), tensor.getValue());
            }
        }
    }

    /** Such that no norm is the identity and no bias is small. */
    private static ByteBuffer numbers(String key, Shape shape) {
        var random = new SplittableRandom(key.hashCode());
        ByteBuffer numbers =
                ByteBuffer.allocate(Math.toIntExact(4 * shape.size())).order(ByteOrder.LITTLE_ENDIAN);
        double middle = shape.dimension() == 1 && key.endsWith("weight") ? 1 : 0;
        double bound = shape.dimension() == 1 ? 0.3 : Math.sqrt(3.0 * shape.get(0) / shape.size());
        while (numbers.hasRemaining()) {
            numbers.putFloat((float) (middle + random.nextDouble(-bound, bound)));
        }
        return numbers.flip();
    }

    private static void predict(Path unet, Path file) throws IOException {
        try (NDManager scope = Torch.newManager()) {
            UNet2DCondition network = UNet2DCondition.load(unet, scope);
            UNetConfig config = network.config();
            var in = new LinkedHashMap<String, NDArray>();
            in.put("latents", input("latents", scope, 2, config.inChannels(), 8, 8));
            in.put("prompt_embeds", input("prompt", scope, 2, 7, config.crossAttentionDim()));
            config.textTime().ifPresent(text -> {
                in.put("text_embeds", input("text", scope, 2, text.pooledWidth()));
                in.put(
                        "time_ids",
                        scope.create(new float[] {64, 48, 0, 3, 64, 64, 80, 64, 7, 0, 64, 64}, new Shape(2, 6)));
            });
            NDArray timesteps = scope.create(new long[] {17, 801});
            NDArray prediction = network.predict(new UNet2DCondition.Input(
                    in.get("latents"), timesteps, in.get("prompt_embeds"), in.get("text_embeds"), in.get("time_ids")));
            in.put("prediction", prediction);
            in.put("timesteps", timesteps);
            var plan = new SafetensorsWriter.Plan();
            var tensors = new LinkedHashMap<String, ByteBuffer>();
            in.forEach((name, array) -> {
                boolean whole = array.getDataType() == DataType.INT64;
                plan.add(name, whole ? DType.I64 : DType.F32, array.getShape().getShape());
                tensors.put(name, array.toByteBuffer().order(ByteOrder.LITTLE_ENDIAN));
            });
            write(file, plan, tensors);
        }
    }

    private static NDArray input(String name, NDManager scope, long... shape) {
        float[] values = new float[Math.toIntExact(new Shape(shape).size())];
        numbers(name, new Shape(shape)).asFloatBuffer().get(values);
        return scope.create(values, new Shape(shape));
    }

    private static void writePipelines() throws IOException {
        Path variants = dir.resolve("teachers/variants");
        copy(EXAMPLE, variants);
        Path vae = variants.resolve("vae");
        Files.move(
                vae.resolve("diffusion_pytorch_model.safetensors"),
                vae.resolve("diffusion_pytorch_model.fp16.safetensors"));
        shard(variants.resolve("text_encoder_2"));
        writePipeline("sdxl-of-variants", EXAMPLE.resolve("unet"), variants);

        for (String family : List.of("sd1", "sd2")) {
            Path teacher = dir.resolve("teachers/" + family);
            copy(EXAMPLE, teacher);
            Folders.delete(teacher.resolve("text_encoder_2"));
            Folders.delete(teacher.resolve("tokenizer_2"));
            ObjectNode index = (ObjectNode)
                    JSON.readTree(teacher.resolve("model_index.json").toFile());
            index.remove(List.of("text_encoder_2", "tokenizer_2", "force_zeros_for_empty_prompt"));
            index.put("_class_name", "StableDiffusionPipeline").put("requires_safety_checker", true);
            index.putArray("safety_checker").add("stable_diffusion").add("StableDiffusionSafetyChecker");
            index.putArray("feature_extractor").add("transformers").add("CLIPImageProcessor");
            JSON.writeValue(teacher.resolve("model_index.json").toFile(), index);
            if (family.equals("sd2")) {
                Path scheduler = teacher.resolve("scheduler/scheduler_config.json");
                Files.writeString(scheduler, Files.readString(scheduler).replace("\"epsilon\"", "\"v_prediction\""));
            }
            writePipeline(
                    family.equals("sd2") ? "sd2-velocity" : family, dir.resolve("made/" + family + "-tiny"), teacher);
        }
    }

    private static void writePipeline(String name, Path unet, Path teacher) {
        Path to = dir.resolve("pipelines").resolve(name);
        var conversion = new Conversion(name, "for the test", unet, teacher, 64);
        Set<String> save = Set.of("pipeline");
        conversion.write(options(save, "fp32", null, "10GB"), Map.of(), FolderWriter.of(to.resolve("fp32")));
        conversion.write(options(save, "fp16", "fp16", "2MB"), Map.of(), FolderWriter.of(to.resolve("fp16")));
    }

    /** Of the U-Net alone, and with the text encoders. */
    private static void writeLoras() throws IOException {
        var lora = new Lora(4, 7, Lora.OF_UNET); // alpha / rank is not 1
        writeLora("lora", Map.of("unet", lora));
        var ofText = new Lora(2, 5, Lora.OF_TEXT_ENCODER);
        Path to = writeLora("lora-text", Map.of("unet", lora, "text_encoder", ofText, "text_encoder_2", ofText));
        try (NDManager scope = Torch.newManager();
                PromptEncoder encoder = PromptEncoder.load(to, EXAMPLE, scope)) {
            PromptEncoder.Prompts prompts = encoder.encode(List.of("red apple, food fruit"), scope);
            SavedTensors.write(
                    to.resolve("prompt.safetensors"),
                    Map.of("prompt_embeds", prompts.promptEmbeds(), "text_embeds", prompts.pooled()));
        }
    }

    private static Path writeLora(String name, Map<String, Lora> loras) throws IOException {
        Path checkpoint = Files.createDirectories(dir.resolve("made").resolve(name));
        Files.copy(EXAMPLE.resolve("unet/config.json"), checkpoint.resolve("config.json"));
        try (NDManager scope = Torch.newManager()) {
            var adapters = new LinkedHashMap<String, NDArray>();
            loras.forEach((component, lora) -> {
                Path base = EXAMPLE.resolve(component);
                boolean unet = component.equals("unet");
                lora.shapes(
                                unet
                                        ? UNet2DCondition.parameterShapes(UNetConfig.read(base))
                                        : ClipTextEncoder.parameterShapes(ClipConfig.read(base)))
                        .forEach((key, shape) -> adapters.put(
                                unet ? key : component + "." + key,
                                input(key, scope, shape.getShape()).mul(0.3f)));
            });
            SavedLora.write(checkpoint.resolve(SavedLora.FILE), loras, adapters);
        }
        Path to = dir.resolve("loras").resolve(name);
        new Conversion("made", "for the test", checkpoint, EXAMPLE, 64)
                .write(options(Set.of("kohya"), "fp32", null, "10GB"), Map.of(), FolderWriter.of(to));
        predict(to.resolve("unet"), to.resolve("batch.safetensors"));
        return to;
    }

    /** As a large encoder lies on the Hub. */
    private static void shard(Path encoder) throws IOException {
        Path whole = encoder.resolve("model.safetensors");
        try (SafetensorsFolder weights = SafetensorsFolder.open(encoder)) {
            var format = new SavedWeights.Format(DType.F16, Optional.empty(), 1_000_000);
            var shards = new SavedWeights(weights, weights.tensors().keySet(), "model", format);
            for (String file : shards.files()) {
                shards.write(
                        file,
                        FileChannel.open(
                                encoder.resolve(file), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE));
            }
            Files.write(encoder.resolve(shards.indexName()), shards.index().orElseThrow());
        }
        Files.delete(whole);
    }

    private static void copy(Path from, Path to) throws IOException {
        for (Path file : Folders.files(from)) {
            Path copy = to.resolve(from.relativize(file).toString());
            Files.createDirectories(copy.getParent());
            Files.copy(file, copy);
        }
    }
}
