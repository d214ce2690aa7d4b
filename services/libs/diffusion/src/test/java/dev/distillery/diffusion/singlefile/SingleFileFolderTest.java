package dev.distillery.diffusion.singlefile;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.diffusion.Golden;
import dev.distillery.diffusion.distill.Families;
import dev.distillery.diffusion.distill.Layouts;
import dev.distillery.diffusion.distill.Student;
import dev.distillery.diffusion.safetensors.DType;
import dev.distillery.diffusion.safetensors.SafetensorsFile;
import dev.distillery.diffusion.safetensors.SafetensorsFolder;
import dev.distillery.diffusion.unet.UNetConfig;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** What is compared with diffusers was made by golden_single_file_read.py from what this leaves in {@code target/single-file}. */
class SingleFileFolderTest {
    private static final Path MADE = Path.of("target/single-file/read");
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final SingleFile.About ABOUT = new SingleFile.About("x", "for the test", 64, "2026-01-01", false);

    @TempDir
    Path folder;

    static Stream<String> layouts() {
        return SingleFileTest.layouts();
    }

    @ParameterizedTest
    @MethodSource("layouts")
    void shouldTellTheNetworksFromKeysAndShapesAlone(String familyAndLayout) throws IOException {
        // Given
        String[] names = familyAndLayout.split(" ");
        UNetConfig teacher = Families.unet(names[0]);
        UNetConfig unet = Student.of(teacher, Layouts.named(teacher, names[1])).config();

        // When
        SingleFileFolder read = SingleFileFolder.of(Described.whole(unet));

        // Then
        assertThat(read.family()).isEqualTo(names[0]);
        assertThat(read.unet())
                .usingRecursiveComparison()
                .ignoringFields("json")
                .isEqualTo(unet);
        assertThat(read.vae().orElseThrow())
                .usingRecursiveComparison()
                .isEqualTo(Described.vae(names[0].equals("sdxl") ? 0.13025 : 0.18215));
    }

    @Test
    void shouldTellTheDepthOfAMidBlockBelowALevelWithoutAttention() throws IOException {
        // Given
        ObjectNode json = Families.unet("sdxl").json().deepCopy();
        ((ArrayNode) json.path("down_block_types")).set(2, "DownBlock2D");
        ((ArrayNode) json.path("up_block_types")).set(0, "UpBlock2D");
        UNetConfig unet = UNetConfig.of(json);

        // When
        SingleFileFolder read = SingleFileFolder.of(Described.whole(unet));

        // Then
        assertThat(read.unet().mid()).isEqualTo(new UNetConfig.Mid(UNetConfig.MidKind.CROSS_ATTENTION, 10));
        assertThat(read.unet())
                .usingRecursiveComparison()
                .ignoringFields("json")
                .isEqualTo(unet);
    }

    /** Names and shapes of every tensor, as diffusers converts the same file, and its networks have by these configurations. */
    @ParameterizedTest
    @ValueSource(strings = {"sdxl", "sd1", "sd2"})
    void shouldHaveTheTensorsThatDiffusersMakesOfAWholeModel(String family) throws IOException {
        // Given
        Described file = Described.whole(Families.unet(family)).withWhatIsLeftOut();
        JSON.writeValue(Files.createDirectories(MADE).resolve(family + ".json").toFile(), file.shapes());

        // When
        SingleFileFolder read = SingleFileFolder.of(file);

        // Then
        for (String name : read.files().keySet()) {
            if (name.endsWith("/config.json")) {
                copy(read, name, null, MADE.resolve(family));
            }
        }
        JsonNode golden =
                JSON.readTree(Golden.folder("single-file-read.json").toFile()).path(family);
        for (String name : read.files().keySet()) {
            if (read.isWeights(name)) {
                JsonNode component = golden.path(name.substring(0, name.indexOf('/')));
                List<String> lines = header(read, name);
                assertThat(lines).as(name).hasSize(component.path("tensors").asInt());
                assertThat(Described.sha256(lines))
                        .isEqualTo(component.path("sha256").asText());
            }
        }
    }

    @ParameterizedTest
    @MethodSource("layouts")
    void shouldGiveBackTheVeryTensorsOfTheFolder(String familyAndLayout) throws IOException {
        // Given
        String[] names = familyAndLayout.split(" ");
        Path small = names[1].equals("teacher") ? MADE.resolve("small-" + names[0]) : folder;
        Path pipeline = SmallPipeline.write(small.resolve("folder"), names[0], names[1]);
        Path file = written(pipeline, small.resolve("x.safetensors"));

        // When
        Path read = unpacked(file, small.resolve("read"));

        // Then
        assertSameFolder(read, pipeline);
    }

    @Test
    void shouldGiveBackTheExampleWithItsConfigurations() throws IOException {
        // Given
        Path file = written(Golden.miniSdxl(), folder.resolve("x.safetensors"));

        // When
        Path read = unpacked(file, folder.resolve("read"));

        // Then
        assertSameFolder(read, Golden.miniSdxl());
        for (String tokenizer : List.of("tokenizer", "tokenizer_2")) {
            for (String name :
                    List.of("vocab.json", "merges.txt", "tokenizer_config.json", "special_tokens_map.json")) {
                assertThat(read.resolve(tokenizer).resolve(name))
                        .hasSameBinaryContentAs(
                                Golden.miniSdxl().resolve(tokenizer).resolve(name));
            }
        }
    }

    @Test
    void shouldTakeAConfigurationThatLiesBesideTheFile() throws IOException {
        // Given
        Described file = Described.whole(Families.unet("sd1"))
                .beside(
                        "unet/config.json",
                        Families.unet("sd1")
                                .json()
                                .put("attention_head_dim", 10)
                                .toString())
                .beside("scheduler/scheduler_config.json", "{\"prediction_type\": \"v_prediction\"}")
                .beside("model_index.json", "{\"safety_checker\": [\"a\", \"B\"], \"unet\": [\"diffusers\", \"C\"]}");

        // When
        SingleFileFolder read = SingleFileFolder.of(file);

        // Then
        assertThat(read.unet().down()).extracting(UNetConfig.Level::heads).containsOnly(10);
        assertThat(json(read, "scheduler/scheduler_config.json")).hasToString("{\"prediction_type\":\"v_prediction\"}");
        assertThat(json(read, "model_index.json"))
                .hasToString("{\"safety_checker\":[null,null],\"unet\":[\"diffusers\",\"C\"]}");
    }

    @ParameterizedTest
    @CsvSource({
        "sdxl, '',        '',       0,    epsilon,      false",
        "sdxl, v,         '',       0,    v_prediction, false",
        "sdxl, '',        v_pred,   0,    v_prediction, false",
        "sdxl, '',        v_pred ztsnr, 0, v_prediction, true",
        "sd1,  '',        '',       0,    epsilon,      false",
        "sd2,  '',        '',       0.1,  v_prediction, false",
        "sd2,  '',        '',       0.08, epsilon,      false",
        "sd2,  epsilon,   '',       0.1,  epsilon,      false",
    })
    void shouldTellWhatTheModelPredicts(
            String family, String said, String keys, float spread, String expected, boolean zeroSnr)
            throws IOException {
        // Given
        Described file = Described.whole(Families.unet(family)).spread(spread);
        if (!said.isEmpty()) {
            file.metadata("modelspec.prediction_type", said);
        }
        Arrays.stream(keys.split(" ")).filter(key -> !key.isEmpty()).forEach(key -> file.add(key, DType.F32));

        // When
        SingleFileFolder read = SingleFileFolder.of(file);

        // Then
        JsonNode scheduler = json(read, "scheduler/scheduler_config.json");
        assertThat(scheduler.path("prediction_type").asText()).isEqualTo(expected);
        assertThat(scheduler.path("rescale_betas_zero_snr").asBoolean(false)).isEqualTo(zeroSnr);
    }

    @Test
    void shouldReadTheTextEncoderOfTheFirstFiles() throws IOException {
        // Given
        Described file = Described.whole(Families.unet("sd1"))
                .renamed("cond_stage_model.transformer.text_model.", "cond_stage_model.transformer.");

        // When
        SingleFileFolder read = SingleFileFolder.of(file);

        // Then
        assertThat(header(read, "text_encoder/model.safetensors"))
                .isEqualTo(header(
                        SingleFileFolder.of(Described.whole(Families.unet("sd1"))), "text_encoder/model.safetensors"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "lora_unet_down_blocks_0_attentions_0.lora_down.weight | is a LoRA",
                "unet.down_blocks.0.attentions.0.lora_A.weight | is a LoRA",
                "model.diffusion_model.double_blocks.0.img_attn.norm.key_norm.scale | is a Flux model",
                "double_blocks.0.img_attn.norm.key_norm.scale | is a Flux model",
                "model.diffusion_model.joint_blocks.0.context_block.adaLN_modulation.1.bias | is a Stable Diffusion 3 model",
                "control_model.time_embed.0.weight | is a ControlNet",
                "conditioner.embedders.0.model.transformer.resblocks.9.mlp.c_proj.bias | such as sd_xl_base_1.0.safetensors",
                "edm_mean | Playground v2.5",
                "down_blocks.0.resnets.0.conv1.weight | name the folder",
                "input_blocks.0.0.weight | is a U-Net alone",
                "encoder.conv_in.weight | is an auto-encoder alone",
                "text_model.embeddings.token_embedding.weight | is a text encoder alone",
                "something.else | has no model.diffusion_model.input_blocks.0.0.weight",
            })
    void shouldSayWhatAnythingElseIs(String key, String message) {
        // Given
        Described file = new Described().add(key, DType.F16, 8, 8);

        // When, Then
        assertThatThrownBy(() -> SingleFileFolder.of(file))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("x.safetensors ")
                .hasMessageContaining(message);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "sd1 | model.diffusion_model.input_blocks.0.0.weight | 320 9 3 3 | is an inpainting model",
                "sd1 | model.diffusion_model.input_blocks.0.0.weight | 320 8 3 3 | is an instruct-pix2pix model",
                "sdxl | model.diffusion_model.middle_block.1.norm.weight | 1279 | model.diffusion_model.middle_block.1.norm.weight is [1279] and not [1280]",
                "sd2 | cond_stage_model.model.token_embedding.weight | 1000 1024 | CLIP's vocabulary has 49408",
            })
    void shouldRefuseOtherShapes(String family, String key, String shape, String message) {
        // Given
        Described file = Described.whole(Families.unet(family))
                .add(
                        key,
                        DType.F16,
                        Arrays.stream(shape.split(" "))
                                .mapToLong(Long::parseLong)
                                .toArray());

        // When, Then
        assertThatThrownBy(() -> SingleFileFolder.of(file))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(message);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "sdxl | conditioner. | has no text encoder conditioner.embedders.0.transformer.*",
                "sdxl | conditioner.embedders.1. | has no text encoder conditioner.embedders.1.model.*",
                "sd2 | cond_stage_model.model.ln_final. | does not hold the text encoder",
                "sd1 | model.diffusion_model.output_blocks.3. | has a U-Net of",
                "sd1 | first_stage_model.decoder.conv_out.bias | does not hold the auto-encoder that its configuration describes: no first_stage_model.decoder.conv_out.bias",
            })
    void shouldSayWhatIsMissing(String family, String without, String message) {
        // Given
        Described file = Described.whole(Families.unet(family)).without(without);

        // When, Then
        assertThatThrownBy(() -> SingleFileFolder.of(file))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(message);
    }

    @Test
    void shouldAskForTheHeadsThatShapesDoNotTell() throws IOException {
        // Given
        UNetConfig mini = UNetConfig.read(Golden.miniSdxl().resolve("unet"));
        Described file = Described.whole(mini);

        // When, Then
        assertThatThrownBy(() -> SingleFileFolder.of(file))
                .hasMessageContaining("at a width of 96")
                .hasMessageContaining("put the model's unet/config.json beside the file");
    }

    @Test
    void shouldRefuseAnUnknownPrediction() {
        // Given
        Described file = Described.whole(Families.unet("sd1")).metadata("modelspec.prediction_type", "sample");

        // When, Then
        assertThatThrownBy(() -> SingleFileFolder.of(file))
                .hasMessageContaining("modelspec.prediction_type 'sample', which must be epsilon or v");
    }

    @Test
    void shouldDoWithoutAnAutoEncoder() throws IOException {
        // Given
        Described file = Described.whole(Families.unet("sd1")).without("first_stage_model.");

        // When
        SingleFileFolder read = SingleFileFolder.of(file);

        // Then
        assertThat(read.vae()).isEmpty();
        assertThat(read.files()).doesNotContainKeys("vae/config.json", "vae/diffusion_pytorch_model.safetensors");
    }

    private static Path written(Path pipeline, Path file) throws IOException {
        try (var single = new SingleFile(pipeline.resolve("unet"), pipeline)) {
            single.write(
                    FileChannel.open(
                            file,
                            StandardOpenOption.CREATE,
                            StandardOpenOption.TRUNCATE_EXISTING,
                            StandardOpenOption.WRITE),
                    DType.F16,
                    ABOUT);
        }
        return file;
    }

    private static Path unpacked(Path file, Path to) throws IOException {
        SingleFileFolder read = SingleFileFolder.of(SingleFileSource.of(file));
        try (SafetensorsFile weights = SafetensorsFile.open(file)) {
            for (Map.Entry<String, Long> entry : read.files().entrySet()) {
                assertThat(copy(read, entry.getKey(), weights, to)).isEqualTo(entry.getValue());
            }
        }
        return to;
    }

    private static long copy(SingleFileFolder read, String name, SafetensorsFile weights, Path to) throws IOException {
        Path target = to.resolve(name);
        Files.createDirectories(target.getParent());
        try (InputStream in = read.open(name, weights)) {
            return Files.copy(in, target, StandardCopyOption.REPLACE_EXISTING);
        }
    }

    private static void assertSameFolder(Path actual, Path expected) throws IOException {
        try (Stream<Path> configs = Files.walk(expected, 2)) {
            for (Path config : configs.filter(file -> file.endsWith("config.json")
                            || file.endsWith("scheduler_config.json")
                            || file.endsWith("model_index.json"))
                    .toList()) {
                Path same = actual.resolve(expected.relativize(config));
                assertThat(JSON.readTree(same.toFile())).isEqualTo(JSON.readTree(config.toFile()));
            }
        }
        for (String component : List.of("unet", "vae", "text_encoder", "text_encoder_2")) {
            if (Files.exists(expected.resolve(component))) {
                assertThat(content(actual.resolve(component))).isEqualTo(content(expected.resolve(component)));
            }
        }
    }

    /** Types, shapes and bytes by name. */
    private static Map<String, List<Object>> content(Path component) {
        Map<String, List<Object>> content = new LinkedHashMap<>();
        try (SafetensorsFolder weights = SafetensorsFolder.open(component)) {
            weights.tensors().values().stream()
                    .filter(tensor -> !tensor.name().endsWith("position_ids"))
                    .forEach(tensor -> content.put(
                            tensor.name(),
                            List.of(
                                    tensor.dtype(),
                                    Arrays.toString(tensor.shape()),
                                    weights.data(tensor.name()).hashCode())));
        }
        assertThat(content).isNotEmpty();
        return content;
    }

    private static JsonNode json(SingleFileFolder read, String name) throws IOException {
        try (InputStream in = read.open(name, null)) {
            return JSON.readTree(in);
        }
    }

    /** Name and shape of each tensor of a file of weights, sorted, by its header alone. */
    private static List<String> header(SingleFileFolder read, String name) throws IOException {
        try (InputStream in = read.open(name, null)) {
            long length = ByteBuffer.wrap(in.readNBytes(8))
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .getLong();
            JsonNode header = JSON.readTree(new String(in.readNBytes((int) length), StandardCharsets.UTF_8));
            return header.properties().stream()
                    .filter(tensor -> !tensor.getKey().equals("__metadata__"))
                    .map(tensor -> tensor.getKey() + " " + tensor.getValue().path("shape"))
                    .sorted()
                    .toList();
        }
    }
}
