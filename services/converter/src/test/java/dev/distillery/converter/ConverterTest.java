package dev.distillery.converter;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

import dev.distillery.artifacts.ArtifactMissingException;
import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.Keys;
import dev.distillery.artifacts.LocalCopies;
import dev.distillery.artifacts.Manifest;
import dev.distillery.artifacts.Manifests;
import dev.distillery.artifacts.ObjectInfo;
import dev.distillery.artifacts.PrefixWriter;
import dev.distillery.diffusion.safetensors.DType;
import dev.distillery.diffusion.safetensors.Floats;
import dev.distillery.diffusion.safetensors.SafetensorsFile;
import dev.distillery.diffusion.safetensors.TensorInfo;
import dev.distillery.embedded.EmbeddedS3;
import dev.distillery.events.CheckpointSaved;
import dev.distillery.events.ConvertRequest;
import dev.distillery.events.ModelConverted;
import dev.distillery.events.RunCompleted;
import dev.distillery.testing.Infrastructure;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class ConverterTest {

    private static final String RUN = "made";
    private static final long PARAMETERS = 6_966_692; // of the example's small student, see its README

    @TempDir
    Path dir;

    private EmbeddedS3 s3;
    private ArtifactStore store;
    private Converter converter;

    @BeforeEach
    void start() {
        s3 = EmbeddedS3.start(dir.resolve("s3"), 0);
        store = Infrastructure.store(s3.endpoint(), "distillery");
        store.ensureBucket();
        converter = new Converter(store, new LocalCopies(store, dir.resolve("copies")));
        MadeRun.write(store, RUN, dir);
    }

    @AfterEach
    void stop() {
        s3.close();
    }

    @Test
    void shouldWriteHalfPrecisionWeightsOfTheSameValuesWhenTheLastCheckpointComes() throws Exception {
        // When
        ModelConverted model = converter.convertLast(new CheckpointSaved(RUN, MadeRun.STEP, 2, true));

        // Then
        assertThat(model.parameters()).isEqualTo(PARAMETERS);
        assertThat(model.prefix()).isEqualTo(Keys.runModel(RUN));
        assertThat(model.bytes()).isBetween(2 * PARAMETERS, 2 * PARAMETERS + 100_000);
        Path before = local(Keys.checkpoint(RUN, MadeRun.STEP));
        Path after = local(model.prefix());
        try (SafetensorsFile full = SafetensorsFile.open(before);
                SafetensorsFile half = SafetensorsFile.open(after)) {
            assertThat(half.tensors().keySet())
                    .containsExactlyInAnyOrderElementsOf(full.tensors().keySet());
            for (TensorInfo tensor : half.tensors().values()) {
                var expected = full.data(tensor.name());
                var actual = half.data(tensor.name());
                assertThat(tensor.dtype()).isEqualTo(DType.F16);
                while (actual.hasRemaining()) { // the example's weights are fp16 themselves, so nothing is lost
                    assertThat(Floats.get(actual, DType.F16)).isEqualTo(Floats.get(expected, DType.F32));
                }
            }
        }
    }

    @Test
    void shouldAnswerTheSameWithoutWritingAgainWhenAskedTwice() {
        // Given
        ModelConverted first = converter.convertLast(new CheckpointSaved(RUN, MadeRun.STEP, 2, true));
        String etag = store.stat(Keys.manifest(first.prefix())).orElseThrow().etag();

        // When
        ModelConverted second = converter.convertLast(new CheckpointSaved(RUN, MadeRun.STEP, 2, true));

        // Then
        assertThat(second).isEqualTo(first);
        assertThat(store.stat(Keys.manifest(first.prefix())).orElseThrow().etag())
                .isEqualTo(etag);
    }

    @Test
    void shouldReplaceTheModelAndKeepTheRequestsLengthRightWhenTheRunWasExtended() {
        // Given
        converter.convertLast(new CheckpointSaved(RUN, MadeRun.STEP, 2, true));
        long later = MadeRun.STEP + 20;
        String from = Keys.checkpoint(RUN, MadeRun.STEP);
        for (ObjectInfo object : store.list(from)) {
            store.put(Keys.checkpoint(RUN, later) + object.key().substring(from.length()), store.read(object.key()));
        }
        store.put(Keys.extended(RUN), "{\"train\": {\"epochs\": 77}}".getBytes(StandardCharsets.UTF_8));

        // When the new end comes, and then the old one again
        ModelConverted model = converter.convertLast(new CheckpointSaved(RUN, later, 77, true));
        ModelConverted again = converter.convertLast(new CheckpointSaved(RUN, MadeRun.STEP, 2, true));

        // Then
        assertThat(model.step()).isEqualTo(later);
        assertThat(again).isEqualTo(model);
        assertThat(Manifests.find(store, model.prefix()).orElseThrow().about().get("step"))
                .isEqualTo((int) later);
        assertThat(new String(store.read(Keys.stage(RUN, "convert")), StandardCharsets.UTF_8))
                .contains("\"step\":" + later);
        converter.complete(RUN);
        assertThat(new String(store.read(Keys.report(RUN)), StandardCharsets.UTF_8))
                .contains("epochs: 77");
    }

    @Test
    void shouldConvertTheNewestCheckpointElsewhereWhenRequestedWithoutAStep() {
        // When
        ModelConverted model = converter.convert(new ConvertRequest(RUN, null, null, "bf16", null, null, null));

        // Then
        assertThat(model.step()).isEqualTo(MadeRun.STEP);
        assertThat(model.prefix()).isEqualTo(Keys.converted(RUN, MadeRun.STEP, "bf16"));
        assertThat(store.stat(Keys.manifest(model.prefix()))).isPresent();
    }

    @Test
    void shouldPutTheTeachersOtherPartsBesideTheStudentWhenAPipelineIsWanted() {
        // When
        ModelConverted model =
                converter.convert(new ConvertRequest(RUN, null, null, "fp16", List.of("pipeline"), null, null));

        // Then
        Manifest manifest = Manifests.find(store, model.prefix()).orElseThrow();
        assertThat(manifest.files())
                .extracting(Manifest.FileEntry::name)
                .contains("unet/config.json", "unet/diffusion_pytorch_model.safetensors", "model_index.json")
                .contains("vae/diffusion_pytorch_model.safetensors", "tokenizer_2/merges.txt");
        assertThat(store.read(model.prefix() + "model_index.json"))
                .isEqualTo(store.read(Keys.model("m1") + "model_index.json"));
    }

    @Test
    void shouldAddAFileForOtherInterfacesToWhatIsThereWhenThatIsWantedToo() throws Exception {
        // Given
        ModelConverted first =
                converter.convert(new ConvertRequest(RUN, null, null, "fp16", List.of("pipeline"), null, null));

        // When
        ModelConverted model =
                converter.convert(new ConvertRequest(RUN, null, null, "fp16", List.of("single-file"), null, null));

        // Then
        assertThat(model).isEqualTo(first);
        Manifest manifest = Manifests.find(store, model.prefix()).orElseThrow();
        assertThat(manifest.about())
                .containsEntry("save", List.of("pipeline", "single-file", "unet"))
                .containsEntry("comfyUi", false);
        assertThat(manifest.files())
                .extracting(Manifest.FileEntry::name)
                .contains("unet/config.json", "model_index.json", "vae/config.json", RUN + ".safetensors");
        Path file = dir.resolve("single.safetensors");
        store.fetch(model.prefix() + RUN + ".safetensors", file);
        try (SafetensorsFile single = SafetensorsFile.open(file)) {
            assertThat(single.tensors())
                    .hasSize(410 + 156 + 52 + 53 - 2 * 2 * 3) // U-Net, auto-encoder, encoders, of one three are joined
                    .containsKeys(
                            "model.diffusion_model.output_blocks.1.2.conv.weight",
                            "first_stage_model.decoder.up.2.block.0.conv1.weight",
                            "conditioner.embedders.1.model.transformer.resblocks.2.attn.in_proj_weight");
        }
    }

    @Test
    void shouldKeepTheModelOfALaterStepWhenAnOlderEventComesThatAsksForMore() {
        // Given a model that only says that it is of a later step
        String prefix = Keys.runModel(RUN);
        new PrefixWriter(store, prefix).complete("model", Map.of("step", MadeRun.STEP + 1, "parameters", PARAMETERS));
        var source = new StoredModels.Source(RUN, MadeRun.STEP, "raw", Keys.model("m1"), "small", 64);
        var options = new Options(Set.of("pipeline"), "fp16", Optional.empty(), Options.MAX_SHARD_SIZE);

        // When
        ModelConverted model =
                new StoredModels(store, new LocalCopies(store, dir.resolve("copies"))).convert(source, options, prefix);

        // Then
        assertThat(model.step()).isEqualTo(MadeRun.STEP + 1);
        assertThat(Manifests.find(store, prefix).orElseThrow().files()).isEmpty();
    }

    @Test
    void shouldConvertTheAverageToAPlaceOfItsOwnWhenItIsWanted() throws Exception {
        // When
        ModelConverted model = converter.convert(new ConvertRequest(RUN, null, "ema", "fp32", null, null, null));

        // Then
        assertThat(model.prefix()).isEqualTo(Keys.converted(RUN, MadeRun.STEP, "ema-fp32"));
        try (SafetensorsFile raw = SafetensorsFile.open(local(Keys.checkpoint(RUN, MadeRun.STEP)));
                SafetensorsFile average = SafetensorsFile.open(local(model.prefix()))) {
            assertThat(average.data("conv_in.bias").getFloat())
                    .isEqualTo(raw.data("conv_in.bias").getFloat() / 2);
        }
    }

    @Test
    void shouldNameFilesByVariantAndLeaveNoneOfOtherSizesWhenTheSizeOfShardsChanges() {
        // Given
        converter.convert(new ConvertRequest(RUN, null, null, "bf16", List.of("pipeline"), "bf16", "5MB"));

        // When
        ModelConverted model = converter.convert(new ConvertRequest(RUN, null, null, "bf16", null, "bf16", "10MB"));

        // Then
        assertThat(model.prefix()).isEqualTo(Keys.converted(RUN, MadeRun.STEP, "bf16-bf16"));
        assertThat(model.bytes()).isBetween(2 * PARAMETERS, 2 * PARAMETERS + 100_000);
        assertThat(store.list(model.prefix()))
                .extracting(object -> object.key().substring(model.prefix().length()))
                .filteredOn(name -> name.contains("model"))
                .containsExactlyInAnyOrder(
                        "model_index.json",
                        "text_encoder/model.bf16.safetensors",
                        "text_encoder_2/model.bf16.safetensors",
                        "unet/diffusion_pytorch_model.bf16-00001-of-00002.safetensors",
                        "unet/diffusion_pytorch_model.bf16-00002-of-00002.safetensors",
                        "unet/diffusion_pytorch_model.safetensors.index.bf16.json",
                        "vae/diffusion_pytorch_model.bf16.safetensors");
        assertThat(new String(store.read(model.prefix() + "text_encoder/config.json"), StandardCharsets.UTF_8))
                .contains("\"torch_dtype\": \"bfloat16\"");
    }

    @Test
    void shouldSayThatThereIsNoAverageWhenNoneWasKept() {
        // Given
        String checkpoint = Keys.checkpoint(RUN, MadeRun.STEP);
        var without = new PrefixWriter(store, checkpoint);
        Manifests.find(store, checkpoint).orElseThrow().files().stream()
                .filter(file -> file.name().startsWith("unet/"))
                .forEach(without::include);
        store.delete(Keys.manifest(checkpoint));
        without.complete("checkpoint", Map.of());

        // When
        assertThatThrownBy(() -> converter.convert(new ConvertRequest(RUN, null, "ema", "fp32", null, null, null)))
                // Then
                .isInstanceOf(ArtifactMissingException.class)
                .hasMessageContaining("train.ema.decay")
                .hasMessageContaining("step 40");
    }

    @Test
    void shouldRefuseWhenTheCheckpointIsIncomplete() {
        // Given
        store.delete(Keys.manifest(Keys.checkpoint(RUN, MadeRun.STEP)));

        // When
        assertThatThrownBy(
                        () -> converter.convert(new ConvertRequest(RUN, MadeRun.STEP, null, "fp16", null, null, null)))
                // Then
                .isInstanceOf(ArtifactMissingException.class)
                .hasMessageContaining("step-00000040");
    }

    @Test
    void shouldWriteASelfContainedPageWhenTheModelIsThere() throws Exception {
        // Given
        converter.convertLast(new CheckpointSaved(RUN, MadeRun.STEP, 2, true));

        // When
        RunCompleted completed = converter.complete(RUN);

        // Then
        String page = new String(store.read(completed.report()), StandardCharsets.UTF_8);
        Files.writeString(Path.of("target/report.html"), page); // to be looked at
        assertThat(page)
                .contains(
                        "10,277,508",
                        "6,966,692",
                        "0.444 G",
                        "0.287 G",
                        "32 %",
                        "a red heart &lt;3",
                        "not an image",
                        "layout: small")
                .contains("data:image/png;base64,")
                .doesNotContain("http://", "https://", "<script", "<link", "@import", "NOT_FOUND");
    }

    private Path local(String prefix) throws Exception {
        Path file = dir.resolve(prefix.hashCode() + ".safetensors");
        Files.write(file, store.read(prefix + "unet/diffusion_pytorch_model.safetensors"));
        return file;
    }
}
