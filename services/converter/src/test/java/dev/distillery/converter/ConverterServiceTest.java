package dev.distillery.converter;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;

import jakarta.inject.Inject;

import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.Keys;
import dev.distillery.artifacts.LocalCopies;
import dev.distillery.events.CheckpointSaved;
import dev.distillery.events.ConvertRequest;
import dev.distillery.events.EvaluateRequest;
import dev.distillery.events.EvaluationFailed;
import dev.distillery.events.ModelConverted;
import dev.distillery.events.ModelEvaluated;
import dev.distillery.events.RunCompleted;
import dev.distillery.events.RunFailed;
import dev.distillery.events.Topic;
import dev.distillery.events.TrainRequest;
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

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/** The service on a real broker and a real S3 server. */
@QuarkusTest
@QuarkusTestResource(Infrastructure.class)
class ConverterServiceTest {

    @Inject
    ArtifactStore store;

    @Inject
    EventPublisher publisher;

    @ConfigProperty(name = "kafka.bootstrap.servers")
    String bootstrapServers;

    @TempDir
    Path dir;

    private Published runEvents;
    private Published models;
    private Published dead;

    @BeforeEach
    void start() {
        runEvents = new Published(bootstrapServers, Topic.RUN_EVENTS);
        models = new Published(bootstrapServers, Topic.MODELS_CONVERTED);
        dead = new Published(bootstrapServers, Topic.DEAD_LETTERS);
    }

    @AfterEach
    void stop() {
        runEvents.close();
        models.close();
        dead.close();
    }

    @Test
    void shouldConvertReportAndCompleteTwiceAlikeWhenTheLastCheckpointIsToldTwice() {
        // Given
        MadeRun.write(store, "finished", dir);

        // When
        last("finished");
        last("finished");

        // Then
        awaitTrue(() -> runEvents.of("finished", RunCompleted.class).size() == 2);
        List<RunCompleted> completed = runEvents.of("finished", RunCompleted.class);
        assertThat(completed.get(0)).isEqualTo(completed.get(1));
        assertThat(models.of("finished", ModelConverted.class)).hasSize(2);
        assertThat(store.stat(completed.get(0).report())).isPresent();
        assertThat(store.stat(Keys.manifest(completed.get(0).model()))).isPresent();
    }

    @Test
    void shouldLetACheckpointPassWhenItIsNotTheLast() {
        // Given
        MadeRun.write(store, "midway", dir);
        MadeRun.write(store, "midway-last", dir);

        // When
        publisher.publishAndWait(Topic.CHECKPOINTS, "midway", new CheckpointSaved("midway", MadeRun.STEP, 1, false));
        last("midway-last");

        // Then
        awaitTrue(() -> !runEvents.of("midway-last", RunCompleted.class).isEmpty());
        assertThat(store.stat(Keys.manifest(Keys.runModel("midway")))).isEmpty();
    }

    @Test
    void shouldFailTheRunWhenItsLastCheckpointIsIncomplete() {
        // Given
        MadeRun.write(store, "partial", dir);
        store.delete(Keys.manifest(Keys.checkpoint("partial", MadeRun.STEP)));

        // When
        last("partial");

        // Then
        awaitTrue(() -> !runEvents.of("partial", RunFailed.class).isEmpty());
        assertThat(runEvents.of("partial", RunFailed.class).get(0).reason()).contains("step-00000040");
    }

    @Test
    void shouldConvertOnRequestAndSetAsideWhatCannotBeDone() {
        // Given
        MadeRun.write(store, "again", dir);

        // When
        publisher.publishAndWait(
                Topic.CONVERT_REQUESTS, "again", new ConvertRequest("again", 7L, null, "fp32", null, null, null));
        publisher.publishAndWait(
                Topic.CONVERT_REQUESTS, "again", new ConvertRequest("again", null, null, "bf16", null, null, null));

        // Then
        awaitTrue(() -> !models.of("again", ModelConverted.class).isEmpty());
        assertThat(models.of("again", ModelConverted.class).get(0).prefix())
                .isEqualTo(Keys.converted("again", MadeRun.STEP, "bf16"));
        awaitTrue(() -> dead.records().stream().anyMatch(record -> "again".equals(record.key())));
    }

    @Test
    void shouldCompleteARunThatAsksForScoresWhenItHasThem() {
        // Given
        asksForScores("scored");
        last("scored");
        awaitTrue(() -> !models.of("scored", ModelConverted.class).isEmpty());

        // When
        String key = Keys.evaluation("scored", EvaluateRequest.nameOf(MadeRun.STEP));
        store.put(
                key,
                """
                {"protocol": {"images": 4, "size": 64, "scheduler": "PNDMScheduler", "steps": 25, "guidance": 7.5, "seed": 1234},
                 "match": {"outputError": 0.0123, "featureError": 4.56}, "student": {"fid": 12.3}, "teacher": {"fid": 11.2}}"""
                        .getBytes(UTF_8));
        publisher.publishAndWait(
                Topic.MODELS_EVALUATED,
                "scored",
                new ModelEvaluated(
                        "scored", EvaluateRequest.nameOf(MadeRun.STEP), key, 4, 0.0123, 4.56, null, null, 12.3, null));

        // Then it was not complete before
        awaitTrue(() -> !runEvents.of("scored", RunCompleted.class).isEmpty());
        assertThat(runEvents.of("scored", RunCompleted.class)).hasSize(1);
        assertThat(text(Keys.report("scored"))).contains("PNDMScheduler", "0.0123", "12.3", "11.2");
        String card = Keys.runModel("scored") + "README.md";
        assertThat(text(card)).contains("## Evaluation", "| FID | 12.3 | 11.2 |");
        assertThat(new LocalCopies(store, dir.resolve("copies")).of(Keys.runModel("scored")))
                .isDirectory(); // whose files are as the manifest says
    }

    @Test
    void shouldCompleteARunWithoutTheScoresThatCannotBeFound() {
        // Given
        asksForScores("unscored");
        last("unscored");
        awaitTrue(() -> !models.of("unscored", ModelConverted.class).isEmpty());

        // When
        publisher.publishAndWait(
                Topic.MODELS_EVALUATED,
                "unscored",
                new EvaluationFailed("unscored", EvaluateRequest.nameOf(MadeRun.STEP), "no such key", "put it there"));

        // Then
        awaitTrue(() -> !runEvents.of("unscored", RunCompleted.class).isEmpty());
        assertThat(text(Keys.report("unscored"))).doesNotContain("Evaluation");
    }

    private void asksForScores(String run) {
        MadeRun.write(store, run, dir);
        String key = Keys.request(run);
        store.put(
                key,
                TrainRequest.parse(store.read(key))
                        .patched("{\"evaluate\": {\"images\": 4}}".getBytes(UTF_8))
                        .canonicalJson());
    }

    private String text(String key) {
        return new String(store.read(key), UTF_8);
    }

    private void last(String run) {
        publisher.publishAndWait(Topic.CHECKPOINTS, run, new CheckpointSaved(run, MadeRun.STEP, 2, true));
    }

    private static void awaitTrue(Callable<Boolean> condition) {
        await().atMost(Duration.ofSeconds(60)).until(condition);
    }
}
