package dev.distillery.trainer;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Stream;

import jakarta.inject.Inject;

import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.Keys;
import dev.distillery.artifacts.Lease;
import dev.distillery.artifacts.Manifests;
import dev.distillery.artifacts.PrefixWriter;
import dev.distillery.events.CheckpointSaved;
import dev.distillery.events.DatasetEncoded;
import dev.distillery.events.RunCancelled;
import dev.distillery.events.RunControl;
import dev.distillery.events.RunExtended;
import dev.distillery.events.RunFailed;
import dev.distillery.events.RunPaused;
import dev.distillery.events.RunResumed;
import dev.distillery.events.SamplesRendered;
import dev.distillery.events.Topic;
import dev.distillery.events.TrainingCompleted;
import dev.distillery.events.messaging.EventPublisher;
import dev.distillery.testing.Infrastructure;
import dev.distillery.testing.Published;
import io.quarkus.test.common.QuarkusTestResource;
import io.quarkus.test.junit.QuarkusTest;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/** The service on a real broker and a real S3 server, with the example's teacher and made latents. */
@QuarkusTest
@QuarkusTestResource(Infrastructure.class)
class TrainerServiceTest {

    private static final Path TEACHER = Path.of("../../deploy/examples/mini-sdxl");
    private static final String MODEL = "mini-sdxl";
    private static final String LATENTS = "made";

    @Inject
    ArtifactStore store;

    @Inject
    EventPublisher publisher;

    @ConfigProperty(name = "kafka.bootstrap.servers")
    String bootstrapServers;

    @TempDir
    Path dir;

    private static final String PLAIN = "{%s, batch: 4, precision: fp32, optimizer: {type: adamw}}";

    private Published runEvents;
    private Published checkpoints;

    @BeforeEach
    void start() throws IOException {
        upload(Keys.model(MODEL), TEACHER, Map.of());
        upload(Keys.latents(LATENTS), MadeLatents.write(dir.resolve("latents"), 1, 6), MadeLatents.about(1, 6, 0));
        runEvents = new Published(bootstrapServers, Topic.RUN_EVENTS);
        checkpoints = new Published(bootstrapServers, Topic.CHECKPOINTS);
    }

    @AfterEach
    void stop() {
        runEvents.close();
        checkpoints.close();
    }

    @Test
    void shouldTrainAndTellItsLifeWhenADatasetIsEncoded() {
        // Given
        request("happy", "steps: 4, checkpoint: {everySteps: 2, keep: 1}", "[\"a red heart\"]");

        // When
        encoded("happy");

        // Then
        awaitTrue(() -> checkpoints.of("happy", CheckpointSaved.class).stream().anyMatch(CheckpointSaved::last));
        awaitTrue(() -> !runEvents.of("happy", TrainingCompleted.class).isEmpty());
        assertThat(runEvents.types("happy").stream().filter(type -> !type.contains("progress")))
                .containsSubsequence(
                        "dev.distillery.checkpoint-saved.v1",
                        "dev.distillery.samples-rendered.v1",
                        "dev.distillery.training-completed.v1");
        assertThat(runEvents.types("happy")).contains("dev.distillery.training-progress.v1");
        SamplesRendered samples = runEvents.of("happy", SamplesRendered.class).get(0);
        assertThat(store.read(samples.keys().get(0))).startsWith(new byte[] {(byte) 0x89, 'P', 'N', 'G'});
        assertThat(store.stat(Keys.samples("happy") + "teacher/00.png")).isPresent();
        assertThat(store.stat(Keys.manifest(Keys.checkpoint("happy", 4)))).isPresent();
        awaitTrue(() -> store.stat(Keys.queue("happy")).isEmpty());
    }

    @Test
    void shouldSayTheOutcomeAgainWithoutTrainingAgainWhenTheEventIsRepeated() {
        // Given
        request("repeated", "steps: 1", "[]");
        encoded("repeated");
        awaitTrue(() -> runEvents.of("repeated", TrainingCompleted.class).size() == 1);
        String etag = store.stat(Keys.metrics("repeated")).orElseThrow().etag();

        // When
        encoded("repeated");

        // Then
        awaitTrue(() -> checkpoints.of("repeated", CheckpointSaved.class).size() == 2);
        assertThat(store.stat(Keys.metrics("repeated")).orElseThrow().etag()).isEqualTo(etag);
    }

    @Test
    void shouldTakeARunOverWhenItsTrainerHasDied() {
        // Given a lease of a trainer that does not renew it
        request("orphan", "steps: 1", "[]");
        Lease.acquire(store, "orphan", "a-dead-trainer", Duration.ofSeconds(3)).orElseThrow();

        // When
        encoded("orphan");

        // Then
        awaitTrue(() -> !runEvents.of("orphan", TrainingCompleted.class).isEmpty());
    }

    @Test
    void shouldStopWhenARunIsCancelled() {
        // Given
        request("endless", "steps: 100000", "[]");
        encoded("endless");
        awaitTrue(() -> !runEvents.types("endless").isEmpty());

        // When
        control("endless", "cancel");

        // Then
        awaitTrue(() -> !runEvents.of("endless", RunCancelled.class).isEmpty());
        awaitTrue(() -> store.stat(Keys.queue("endless")).isEmpty());
    }

    @Test
    void shouldPutARunAsideForOthersAndGoOnWithItWhenItIsPausedAndResumed() {
        // Given
        request("paused", "steps: 40", "[]");
        request("whole", "steps: 40", "[]");
        encoded("paused");
        awaitTrue(() -> !runEvents.types("paused").isEmpty());

        // When
        control("paused", "pause");

        // Then it is in a checkpoint, and another run is trained
        awaitTrue(() -> !runEvents.of("paused", RunPaused.class).isEmpty());
        long step = runEvents.of("paused", RunPaused.class).get(0).step();
        assertThat(step).isBetween(1L, 39L);
        assertThat(store.stat(Keys.manifest(Keys.checkpoint("paused", step)))).isPresent();
        encoded("whole");
        awaitTrue(() -> !runEvents.of("whole", TrainingCompleted.class).isEmpty());
        assertThat(runEvents.of("paused", TrainingCompleted.class)).isEmpty();

        // When
        control("paused", "resume");

        // Then it ends as if nothing had been
        awaitTrue(() -> !runEvents.of("paused", TrainingCompleted.class).isEmpty());
        assertThat(runEvents.of("paused", RunResumed.class)).hasSize(1);
        assertThat(student("paused", 40)).isEqualTo(student("whole", 40));
    }

    @Test
    void shouldGoOnFromItsEndWhenATrainedRunIsExtended() {
        // Given
        request("longer", "epochs: 1", "[]");
        encoded("longer");
        awaitTrue(() -> !runEvents.of("longer", TrainingCompleted.class).isEmpty());
        request("long", "epochs: 3", "[]");
        encoded("long");

        // When, and a second time as Kafka may deliver it
        extend("longer", 3, null);
        extend("longer", 3, null);

        // Then it ends as one that was asked for this length at once
        awaitTrue(() -> runEvents.of("longer", TrainingCompleted.class).size() == 2);
        awaitTrue(() -> !runEvents.of("long", TrainingCompleted.class).isEmpty());
        long steps = runEvents.of("long", TrainingCompleted.class).get(0).step();
        assertThat(runEvents.of("longer", TrainingCompleted.class).get(1).step())
                .isEqualTo(steps);
        assertThat(runEvents.of("longer", RunExtended.class)).containsExactly(new RunExtended("longer", 3, null));
        assertThat(student("longer", steps)).isEqualTo(student("long", steps));
        awaitTrue(() -> checkpoints.of("longer", CheckpointSaved.class).stream()
                .anyMatch(checkpoint -> checkpoint.last() && checkpoint.step() == steps));
    }

    @Test
    void shouldGoOnWithoutAPauseWhenARunIsExtendedWhileItIsTrained() {
        // Given
        request("extended", "steps: 40", "[]");
        encoded("extended");
        awaitTrue(() -> !runEvents.types("extended").isEmpty());

        // When
        extend("extended", null, 50);

        // Then
        awaitTrue(() -> !runEvents.of("extended", TrainingCompleted.class).isEmpty());
        assertThat(runEvents.of("extended", TrainingCompleted.class).get(0).step())
                .isEqualTo(50);
    }

    @Test
    void shouldSetAnExtensionAsideThatTheRunCannotTake() {
        // Given a run that counts steps
        request("short", "steps: 4", "[]");

        try (Published dead = new Published(bootstrapServers, Topic.DEAD_LETTERS)) {
            // When
            extend("short", 9, null);
            extend("short", null, 3);
            extend("nobody", null, 9);

            // Then
            awaitTrue(() -> dead.reasons("short").size() == 2);
            awaitTrue(() -> dead.reasons("nobody").size() == 1);
            assertThat(dead.reasons("short").get(0))
                    .contains(
                            "'extend' of run 'short' takes 'steps' alone, 4 or more in all, but had epochs 9 and steps null");
            assertThat(dead.reasons("short").get(1)).contains("but had epochs null and steps 3");
            assertThat(dead.reasons("nobody").get(0)).contains("'run' must be one that was accepted but was 'nobody'");
        }
    }

    @Test
    void shouldNotBeginAPausedRunAndStillCancelIt() {
        // Given
        request("waiting", "steps: 1", "[]");
        control("waiting", "pause");
        awaitTrue(() -> !runEvents.of("waiting", RunPaused.class).isEmpty());
        encoded("waiting");
        request("after-waiting", "steps: 1", "[]");
        encoded("after-waiting");
        awaitTrue(() -> !runEvents.of("after-waiting", TrainingCompleted.class).isEmpty());
        assertThat(runEvents.of("waiting", TrainingCompleted.class)).isEmpty();

        // When
        control("waiting", "cancel");

        // Then
        awaitTrue(() -> !runEvents.of("waiting", RunCancelled.class).isEmpty());
        awaitTrue(() -> store.stat(Keys.queue("waiting")).isEmpty());
        assertThat(runEvents.of("waiting", RunPaused.class).get(0).step()).isNull();
    }

    @Test
    void shouldPassOverWhatIsNoRunInTheQueue() {
        // Given
        store.put(Keys.queue("a-broken-one"), "{".getBytes(StandardCharsets.UTF_8));
        request("behind-it", "steps: 1", "[]");

        // When
        encoded("behind-it");

        // Then
        awaitTrue(() -> !runEvents.of("behind-it", TrainingCompleted.class).isEmpty());
        store.delete(Keys.queue("a-broken-one"));
    }

    @Test
    void shouldTrainWithTheDefaultsOfTheFormat() {
        // Given bf16 and Adafactor, since nothing else is said
        request("defaults", "{steps: 2, batch: 4}", "[]");

        // When
        encoded("defaults");

        // Then
        awaitTrue(() -> !runEvents.of("defaults", TrainingCompleted.class).isEmpty());
    }

    @Test
    void shouldTrainTheWholeNetworkFromRandomWeightsWhenAsked() {
        // Given
        String yaml =
                """
                run: plain
                teacher: {model: "file:///teacher"}
                dataset: {source: "file:///data"}
                encode: {resolution: 64}
                student: {layout: teacher, init: random}
                train: {steps: 1, batch: 4}
                """;
        store.put(Keys.request("plain"), yaml.getBytes(StandardCharsets.UTF_8));

        // When
        encoded("plain");

        // Then
        awaitTrue(() -> !runEvents.of("plain", TrainingCompleted.class).isEmpty());
        assertThat(new String(store.read(Keys.metrics("plain")), StandardCharsets.UTF_8))
                .containsPattern("\"step\":1,.*\"loss_task\":([0-9.]+),.*\"loss\":\\1,");
    }

    @Test
    void shouldFailTheRunWhenNoStepIsFinite() {
        // Given a learning rate that no network survives
        request("diverges", PLAIN.formatted("steps: 100").replace("adamw", "adamw, learningRate: 1.0e+30"), "[]");

        // When
        encoded("diverges");

        // Then
        awaitTrue(() -> !runEvents.of("diverges", RunFailed.class).isEmpty());
        RunFailed failed = runEvents.of("diverges", RunFailed.class).get(0);
        assertThat(failed.reason()).startsWith("numerics: ").contains("it began in the student's down_blocks.0");
        assertThat(failed.advice()).contains("train.optimizer.learningRate");
    }

    @Test
    void shouldSetNoiseAsideAndGoOnWhenARecordIsNotAnEvent() {
        // Given
        request("after-noise", "steps: 1", "[]");

        try (Published dead = new Published(bootstrapServers, Topic.DEAD_LETTERS)) {
            // When a checkpoint's event comes on the wrong topic, and then a right one
            publisher.publishAndWait(Topic.DATASETS_ENCODED, "noise", new CheckpointSaved("noise", 1, 1, false));
            encoded("after-noise");

            // Then
            awaitTrue(() -> dead.records().stream().anyMatch(record -> "noise".equals(record.key())));
            awaitTrue(
                    () -> !runEvents.of("after-noise", TrainingCompleted.class).isEmpty());
        }
    }

    private byte[] student(String run, long step) {
        return store.read(Keys.checkpoint(run, step) + "unet/diffusion_pytorch_model.safetensors");
    }

    private void control(String run, String action) {
        publisher.publishAndWait(Topic.RUN_CONTROL, run, new RunControl(run, action));
    }

    private void extend(String run, Integer epochs, Integer steps) {
        publisher.publishAndWait(Topic.RUN_CONTROL, run, new RunControl(run, "extend", epochs, steps));
    }

    private void encoded(String run) {
        publisher.publishAndWait(Topic.DATASETS_ENCODED, run, new DatasetEncoded(run, "data", MODEL, LATENTS, 1, 6));
    }

    private void request(String run, String train, String prompts) {
        String yaml =
                """
                run: %s
                teacher: {model: "file:///teacher"}
                dataset: {source: "file:///data"}
                encode: {resolution: 64}
                train: %s
                samples: {prompts: %s, size: 64, steps: 2}
                """
                        .formatted(run, train.startsWith("{") ? train : PLAIN.formatted(train), prompts);
        store.put(Keys.request(run), yaml.getBytes(StandardCharsets.UTF_8));
    }

    private void upload(String prefix, Path folder, Map<String, Object> about) throws IOException {
        if (Manifests.find(store, prefix).isPresent()) {
            return;
        }
        PrefixWriter writer = new PrefixWriter(store, prefix);
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                writer.add(folder.relativize(file).toString(), file);
            }
        }
        writer.complete("test", about);
    }

    private static void awaitTrue(Callable<Boolean> condition) {
        await().atMost(Duration.ofMinutes(3)).until(condition);
    }
}
