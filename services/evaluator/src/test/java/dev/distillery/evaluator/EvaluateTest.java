package dev.distillery.evaluator;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;

import dev.distillery.artifacts.ArtifactCorruptException;
import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.Digest;
import dev.distillery.artifacts.Keys;
import dev.distillery.artifacts.LocalCopies;
import dev.distillery.diffusion.lora.SavedLora;
import dev.distillery.embedded.EmbeddedS3;
import dev.distillery.events.EvaluateRequest;
import dev.distillery.events.EvaluationPart;
import dev.distillery.events.Event;
import dev.distillery.events.EventJson;
import dev.distillery.events.ModelEvaluated;
import dev.distillery.events.Topic;
import dev.distillery.testing.Infrastructure;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** Two instances on one store, without Kafka, and with stand-ins for CLIP and Inception. */
class EvaluateTest {
    private static final Path GOLDEN = Path.of("../libs/diffusion/src/test/resources/dev/distillery/diffusion/golden");

    private static final Path INCEPTION = GOLDEN.resolve("evaluate/standin.pt");

    private final List<Event> events = new ArrayList<>();
    private final AtomicInteger drawn = new AtomicInteger();

    @TempDir
    Path dir;

    private EmbeddedS3 s3;
    private ArtifactStore store;
    private Evaluate one;
    private Evaluate other;

    @BeforeEach
    void start() throws Exception {
        s3 = EmbeddedS3.start(dir.resolve("s3"), 0);
        store = Infrastructure.store(s3.endpoint(), "distillery");
        store.ensureBucket();
        one = instance();
        other = instance();
    }

    private Evaluate instance() throws IOException {
        return new Evaluate(
                store,
                new LocalCopies(store, dir.resolve("copies")),
                (Topic topic, String key, Event event) -> events.add(event),
                (images, took) -> drawn.addAndGet(images),
                Set.of(Digest.of(INCEPTION)));
    }

    @AfterEach
    void stop() {
        one.close();
        other.close();
        s3.close();
    }

    @Test
    void shouldFindTheSameWhoeverDoesWhichPart() throws Exception {
        // Given
        MadeRun.write(store, "split", "{}");
        upload(GOLDEN.resolve("clip-model/clip-quick"), "given/clip/");
        upload(MadeRun.TEACHER.resolve("tokenizer"), "given/clip/");
        store.put("given/inception.pt", INCEPTION);
        String settings =
                """
                {"images": 20, "steps": 1, "scores": ["teacher-match", "clip", "fid", "is"], "clip": "s3://distillery/given/clip",
                "inception": "s3://distillery/given/inception.pt", "inceptionSha256": "%s"}"""
                        .formatted(Digest.of(INCEPTION));

        // When one instance does all, and two share the work, the last part first
        one.request(request("split", "alone", settings));
        one.part(new EvaluationPart("split", "alone", 0, 2));
        one.part(new EvaluationPart("split", "alone", 1, 2));
        other.request(request("split", "shared", settings));
        other.part(new EvaluationPart("split", "shared", 1, 2));
        other.part(new EvaluationPart("split", "shared", 1, 2));
        assertThat(store.stat(Keys.evaluation("split", "shared"))).isEmpty();
        one.part(new EvaluationPart("split", "shared", 0, 2));

        // Then
        assertThat(drawn).hasValue(2 * MadeRun.HELD_OUT);
        assertThat(store.read(Keys.evaluation("split", "shared")))
                .asString(UTF_8)
                .isEqualTo(new String(store.read(Keys.evaluation("split", "alone")), UTF_8))
                .contains("isDeviation");
        ModelEvaluated scores = events.stream()
                .filter(ModelEvaluated.class::isInstance)
                .map(ModelEvaluated.class::cast)
                .findFirst()
                .orElseThrow();
        assertThat(Arrays.asList(scores.clip(), scores.fid(), scores.is())).doesNotContainNull();
        assertThat(scores.fid()).isPositive();
        assertThat(scores.featureError()).isZero();
    }

    @Test
    void shouldLetTheStudentSeePromptsWithItsOwnTextEncoders() throws Exception {
        // Given a student whose U-Net is the teacher's
        MadeRun.write(store, "adapted", "{}");
        try (SavedLora lora = SavedLora.open(GOLDEN.resolve("lora-text").resolve(SavedLora.FILE))) {
            for (String encoder : List.of("text_encoder", "text_encoder_2")) {
                Path base = MadeRun.TEACHER.resolve(encoder);
                Path merged = Files.createDirectories(dir.resolve("adapted").resolve(encoder));
                Files.copy(base.resolve("config.json"), merged.resolve("config.json"));
                lora.merge(encoder, base, merged.resolve("model.safetensors"));
            }
        }
        MadeRun.trainTextEncoders(store, "adapted", dir.resolve("adapted"));

        // When
        one.request(request("adapted", "own", "{\"images\": 16, \"steps\": 1}"));
        one.part(new EvaluationPart("adapted", "own", 0, 1));

        // Then
        ModelEvaluated scores = events.stream()
                .filter(ModelEvaluated.class::isInstance)
                .map(ModelEvaluated.class::cast)
                .findFirst()
                .orElseThrow();
        assertThat(scores.featureError()).isPositive();
        assertThat(scores.outputError()).isPositive();
        assertThat(store.read(Keys.evaluation("adapted", "own")))
                .asString(UTF_8)
                .contains("text_encoder_2/model.safetensors");
    }

    @Test
    void shouldNotMixTheScoresOfTwoStudents() throws Exception {
        // Given
        MadeRun.write(store, "replaced", "{}");
        one.request(request("replaced", "first", "{\"images\": 20, \"steps\": 1}"));
        one.part(new EvaluationPart("replaced", "first", 0, 2));

        // When the run was converted again
        String manifest = Keys.manifest(Keys.runModel("replaced"));
        String changed =
                new String(store.read(manifest), UTF_8).replaceFirst("\"sha256\"\\s*:\\s*\"....", "\"sha256\": \"0000");
        store.put(manifest, changed.getBytes(UTF_8));

        // Then
        assertThatThrownBy(() -> other.part(new EvaluationPart("replaced", "first", 1, 2)))
                .isInstanceOf(ArtifactCorruptException.class)
                .hasMessageContaining("is not what it was when evaluation 'first' was planned");
        assertThat(store.stat(Keys.evaluation("replaced", "first"))).isEmpty();
    }

    @Test
    void shouldEndWithTheRunThatIsCancelled() throws Exception {
        MadeRun.write(store, "cancelled", "{}");
        one.request(request("cancelled", "held-out", "{\"images\": 2, \"steps\": 1}"));
        store.put(Keys.cancelled("cancelled"), "{}".getBytes(UTF_8));
        one.part(new EvaluationPart("cancelled", "held-out", 0, 1));
        assertThat(drawn).hasValue(0);
    }

    private static EvaluateRequest request(String run, String name, String evaluate) {
        String json = "{\"run\": \"%s\", \"name\": \"%s\", \"evaluate\": %s}".formatted(run, name, evaluate);
        return EventJson.read(json.getBytes(UTF_8), EvaluateRequest.class);
    }

    private void upload(Path folder, String prefix) throws Exception {
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                store.put(prefix + file.getFileName(), file);
            }
        }
    }
}
