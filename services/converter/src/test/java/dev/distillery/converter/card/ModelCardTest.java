package dev.distillery.converter.card;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.Keys;
import dev.distillery.artifacts.LocalCopies;
import dev.distillery.artifacts.Manifest;
import dev.distillery.artifacts.Manifests;
import dev.distillery.artifacts.PrefixWriter;
import dev.distillery.converter.MadeRun;
import dev.distillery.converter.Options;
import dev.distillery.converter.StoredModels;
import dev.distillery.embedded.EmbeddedS3;
import dev.distillery.testing.Infrastructure;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

class ModelCardTest {
    private static final String RUN = "made";
    private static final String TEACHER = Keys.model("m1");
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    Path dir;

    private EmbeddedS3 s3;
    private ArtifactStore store;

    @BeforeEach
    void start() {
        s3 = EmbeddedS3.start(dir.resolve("s3"), 0);
        store = Infrastructure.store(s3.endpoint(), "distillery");
        store.ensureBucket();
        MadeRun.write(store, RUN, dir);
    }

    @AfterEach
    void stop() {
        s3.close();
    }

    @Test
    void shouldTellWhatTheModelIsHowItCameToBeAndHowItIsLoaded() throws IOException {
        // When
        String card = convert("fp16", Set.of("unet"));

        // Then
        Files.writeString(Path.of("target/card.md"), card); // to be looked at
        assertThat(card)
                .contains("# made\n", "layout **small**, 68 % of the teacher's parameters", "`file:./mini-sdxl`")
                .contains("| parameters | 10,277,508 | 6,966,692 | 68 % |")
                .contains("| MACs a step, with attention's products | 0.444 G | 0.296 G | 67 % |")
                .contains("| MACs a step, without them | 0.431 G | 0.287 G | 67 % |")
                .contains("| time of a pass in bf16 (PyTorch 2.7.1, GPU) | 12.5 ms | 7.5 ms | 60 % |")
                .contains("| weights in fp32 | 41.1 MB | 27.9 MB | 68 % |")
                .contains("| output | 0.246 | ", " | 0.263 | 0.0299 |")
                .contains(
                        "unet = UNet2DConditionModel.from_pretrained(\"OWNER/made\", subfolder=\"unet\", torch_dtype=torch.float16)")
                .contains(
                        "pipe = DiffusionPipeline.from_pretrained(\"path/to/mini-sdxl\", unet=unet, torch_dtype=torch.float16)")
                .contains(
                        "image = pipe(\"a red heart <3\", num_inference_steps=20, guidance_scale=3.0, height=64, width=64)")
                .contains("ComfyUI does not recognise this layout", "LoRAs that were made", "layout: small")
                .contains("| optimizer | adafactor, learning rate 1.0E-5, constant |", "| batch | 2 |")
                .doesNotContain("NOT_FOUND", "file:///", "{card.", "from_single_file");
        assertThat(header(card))
                .containsEntry("license", "apache-2.0") // of the example's own card
                .containsEntry("library_name", "diffusers")
                .containsEntry("pipeline_tag", "text-to-image")
                .containsEntry("inference", false)
                .doesNotContainKeys("base_model", "datasets", "license_link");
    }

    @Test
    void shouldShowWhatBothDrewWithThePicturesBesideIt() throws IOException {
        // When
        String card = convert("fp16", Set.of("unet"));

        // Then
        assertThat(card)
                .contains(
                        "| a red heart \\<3 | ![teacher](images/teacher-00.png) | ![student](images/student-00.png) |");
        assertThat(store.read(model() + "images/teacher-00.png"))
                .isEqualTo(store.read(Keys.samples(RUN) + "teacher/00.png"));
        assertThat(store.read(model() + "images/student-00.png"))
                .isEqualTo(store.read(Keys.samples(RUN) + "epoch-0002/00.png"));
        assertThat(names()).contains("README.md", "images/teacher-00.png", "images/student-00.png");
    }

    @Test
    void shouldShowAnEarlierCheckpointAsItWas() throws IOException {
        // Given
        String from = Keys.checkpoint(RUN, MadeRun.STEP);
        store.list(from)
                .forEach(object -> store.put(
                        Keys.checkpoint(RUN, 30) + object.key().substring(from.length()), store.read(object.key())));

        // When
        String card = convert(30, "fp16", Set.of("unet"));

        // Then
        assertThat(card).contains("| steps | 30 |", " | 0.263 | 0.0784 |");
        assertThat(store.read(model() + "images/student-00.png"))
                .isEqualTo(store.read(Keys.samples(RUN) + "epoch-0001/00.png"));
    }

    @Test
    void shouldNameTheHubsRepositoriesAndCarryTheLicenceOver() throws IOException {
        // Given
        request("/teacher", "model", "hf://stabilityai/stable-diffusion-xl-base-1.0@main");
        request("/teacher", "vae", "hf://madebyollin/sdxl-vae-fp16-fix");
        request("/dataset", "source", "hf://datasets/lambdalabs/pokemon-blip-captions");
        request("/dataset", "validation", "hf://datasets/owner/held-out/data");
        teacher("README.md", "---\nlicense: openrail++\nlicense_link: LICENSE.md\ntags: [a]\n---\n# SDXL");
        teacher("LICENSE.md", "the terms");

        // When
        String card = convert("bf16", Set.of("unet", "pipeline"));

        // Then
        assertThat(header(card))
                .containsEntry("license", "openrail++")
                .containsEntry("license_link", "LICENSE.md")
                .containsEntry("base_model", "stabilityai/stable-diffusion-xl-base-1.0")
                .containsEntry("base_model_relation", "finetune")
                .containsEntry("datasets", List.of("lambdalabs/pokemon-blip-captions", "owner/held-out"))
                .doesNotContainKey("inference");
        assertThat(card)
                .contains(
                        "[stabilityai/stable-diffusion-xl-base-1.0](https://huggingface.co/stabilityai/stable-diffusion-xl-base-1.0)")
                .contains(
                        "[lambdalabs/pokemon-blip-captions](https://huggingface.co/datasets/lambdalabs/pokemon-blip-captions)")
                .contains("pipe = DiffusionPipeline.from_pretrained(\"OWNER/made\", torch_dtype=torch.bfloat16)")
                .contains(
                        "vae = AutoencoderKL.from_pretrained(\"madebyollin/sdxl-vae-fp16-fix\", torch_dtype=torch.bfloat16)")
                .contains(": openrail++. Its text is in `LICENSE.md`.");
        assertThat(names()).containsOnlyOnce("README.md", "LICENSE.md").contains("vae/config.json");
        assertThat(new String(store.read(model() + "LICENSE.md"))).isEqualTo("the terms");
    }

    @Test
    void shouldNotSpeakOfRemovedBlocksWhenTheTeacherItselfWasTrained() throws IOException {
        // Given
        request("/student", "layout", "teacher");

        // When
        String card = convert("fp16", Set.of("unet"));

        // Then
        assertThat(card)
                .contains(
                        "The U-Net of `file:./mini-sdxl`, trained on `file:./emoji`.\nMade by Distillery.\n\n## Samples\n")
                .doesNotContain("LoRAs", "removed");
    }

    @Test
    void shouldSaySoWhenTheTeacherDoesNotNameItsLicence() throws IOException {
        // Given
        teacher("README.md", "# no header");

        // When
        String card = convert("fp16", Set.of("unet"));

        // Then
        assertThat(header(card)).doesNotContainKey("license");
        assertThat(card).contains("The teacher came without a card that names it");
    }

    @Test
    void shouldLoadTheTextEncodersThatWereTrainedBesideTheUnet() throws IOException {
        // Given
        ObjectNode request = (ObjectNode) JSON.readTree(store.read(Keys.request(RUN)));
        ((ObjectNode) request.path("lora")).put("textEncoderLearningRate", 1e-5);
        ((ObjectNode) request.path("student")).put("layout", "teacher");
        store.put(Keys.request(RUN), JSON.writeValueAsBytes(request));

        // When
        String card = convert("fp16", Set.of("pipeline"));

        // Then
        assertThat(card)
                .contains("Or the U-Net and its text encoders, in the teacher's pipeline:")
                .contains("The U-Net and the text encoders of `file:./mini-sdxl`, trained on")
                .contains(", of the text encoders 1.0E-5")
                .contains("from transformers import CLIPTextModel, CLIPTextModelWithProjection")
                .contains("text_encoder_2 = CLIPTextModelWithProjection.from_pretrained(\"OWNER/" + RUN
                        + "\", subfolder=\"text_encoder_2\"")
                .contains(", unet=unet, text_encoder=text_encoder, text_encoder_2=text_encoder_2,");
    }

    @Test
    void shouldShowWordsAsTheyAreWhateverIsInThem() throws IOException {
        // Given
        String prompt = "a | b\n---\n<script>alert(1)</script> ``` ![x](http://x) \"quoted\" {card.run} **c**";
        ObjectNode request = (ObjectNode) JSON.readTree(store.read(Keys.request(RUN)));
        ((ObjectNode) request.path("samples")).putArray("prompts").add(prompt);
        store.put(Keys.request(RUN), JSON.writeValueAsBytes(request));
        teacher("README.md", "---\nlicense: 'evil: \"\n\n  - no #`|'\nlicense_name: '---'\n---\n");

        // When
        String card = convert("fp16", Set.of("unet"));

        // Then
        assertThat(header(card)).containsEntry("license", "evil: \"\n- no #`|").containsEntry("license_name", "---");
        assertThat(card)
                .contains("| a \\| b --- \\<script\\>alert(1)\\</script\\> \\`\\`\\` \\!\\[x\\](http\\://x) \"quoted\" "
                        + "\\{card.run\\} \\*\\*c\\*\\* | ![teacher]")
                .contains("````python\n", "````yaml\n", "image = pipe(\"a | b\\n---\\n<script>");
    }

    private String convert(String dtype, Set<String> save) {
        return convert(MadeRun.STEP, dtype, save);
    }

    private String convert(long step, String dtype, Set<String> save) {
        new StoredModels(store, new LocalCopies(store, dir.resolve("copies")))
                .convert(
                        new StoredModels.Source(RUN, step, "raw", TEACHER, "small", 64),
                        new Options(save, dtype, Optional.empty(), Options.MAX_SHARD_SIZE),
                        model());
        return new String(store.read(model() + "README.md"), StandardCharsets.UTF_8);
    }

    private static String model() {
        return Keys.runModel(RUN);
    }

    private List<String> names() {
        return Manifests.find(store, model()).orElseThrow().files().stream()
                .map(Manifest.FileEntry::name)
                .toList();
    }

    /** What the Hub reads: from the first line to the next one of three dashes. */
    private static Map<String, Object> header(String card) throws IOException {
        assertThat(card).startsWith("---\n");
        String yaml = card.substring(4, card.indexOf("\n---\n", 4));
        return new YAMLMapper().readValue(yaml, new TypeReference<>() {});
    }

    private void request(String parent, String field, String value) throws IOException {
        ObjectNode request = (ObjectNode) JSON.readTree(store.read(Keys.request(RUN)));
        ((ObjectNode) request.at(parent)).put(field, value);
        store.put(Keys.request(RUN), JSON.writeValueAsBytes(request));
    }

    /** Puts a file into the teacher, whose manifest then lists it. */
    private void teacher(String name, String text) {
        Manifest before = Manifests.find(store, TEACHER).orElseThrow();
        store.delete(Keys.manifest(TEACHER));
        var writer = new PrefixWriter(store, TEACHER);
        before.files().stream().filter(file -> !file.name().equals(name)).forEach(writer::include);
        writer.add(name, text.getBytes());
        writer.complete("model", Map.of());
    }
}
