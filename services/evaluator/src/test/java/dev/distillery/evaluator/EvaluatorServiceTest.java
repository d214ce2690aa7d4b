package dev.distillery.evaluator;

import java.time.Duration;
import java.util.concurrent.Callable;

import jakarta.inject.Inject;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.Keys;
import dev.distillery.events.EvaluateRequest;
import dev.distillery.events.EvaluationFailed;
import dev.distillery.events.EventJson;
import dev.distillery.events.ModelConverted;
import dev.distillery.events.ModelEvaluated;
import dev.distillery.events.Topic;
import dev.distillery.events.messaging.EventPublisher;
import dev.distillery.testing.Infrastructure;
import dev.distillery.testing.Published;
import io.quarkus.test.common.QuarkusTestResource;
import io.quarkus.test.junit.QuarkusTest;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/** The service on a real broker and a real S3 server. */
@QuarkusTest
@QuarkusTestResource(Infrastructure.class)
class EvaluatorServiceTest {

    @Inject
    ArtifactStore store;

    @Inject
    EventPublisher publisher;

    @ConfigProperty(name = "kafka.bootstrap.servers")
    String bootstrapServers;

    private Published runEvents;
    private Published evaluated;
    private Published parts;
    private Published dead;

    @BeforeEach
    void start() {
        runEvents = new Published(bootstrapServers, Topic.RUN_EVENTS);
        evaluated = new Published(bootstrapServers, Topic.MODELS_EVALUATED);
        parts = new Published(bootstrapServers, Topic.EVALUATION_PARTS);
        dead = new Published(bootstrapServers, Topic.DEAD_LETTERS);
    }

    @AfterEach
    void stop() {
        runEvents.close();
        evaluated.close();
        parts.close();
        dead.close();
    }

    @Test
    void shouldScoreOnRequestAndFindItDoneWhenItIsRequestedAgain() throws Exception {
        // Given
        MadeRun.write(store, "asked", "{}");

        // When
        request("{\"run\": \"asked\", \"evaluate\": {\"images\": 17, \"steps\": 1}}");
        awaitTrue(() -> !evaluated.of("asked", ModelEvaluated.class).isEmpty());
        request("{\"run\": \"asked\", \"evaluate\": {\"images\": 17, \"steps\": 1}}");
        awaitTrue(() -> evaluated.of("asked", ModelEvaluated.class).size() > 1);

        // Then
        ModelEvaluated scores = evaluated.of("asked", ModelEvaluated.class).get(0);
        assertThat(scores.images()).isEqualTo(17);
        assertThat(scores.outputError()).isZero();
        assertThat(evaluated.of("asked", ModelEvaluated.class).get(1)).isEqualTo(scores);
        assertThat(runEvents.of("asked", ModelEvaluated.class)).contains(scores);
        assertThat(partsOf("asked")).isEqualTo(2);
        JsonNode report = new ObjectMapper().readTree(store.read(scores.report()));
        assertThat(report.at("/digests/data").asText()).matches("[0-9a-f]{64}");
        assertThat(report.at("/protocol/size").asInt()).isEqualTo(64);
        assertThat(report.at("/digests/student")).hasSize(2);
        assertThat(store.stat(Keys.evaluationParts("asked", "held-out") + "grid.png"))
                .isPresent();
    }

    @Test
    void shouldScoreAConvertedStudentWhoseTrainRequestAsksForIt() throws Exception {
        // Given
        MadeRun.write(store, "trained", "{images: 2, steps: 1}");
        MadeRun.write(store, "unasked", "{}");

        // When
        for (String run : new String[] {"unasked", "trained"}) {
            publisher.publishAndWait(
                    Topic.MODELS_CONVERTED, run, new ModelConverted(run, 40, Keys.runModel(run), "fp32", 1, 1));
        }

        // Then
        awaitTrue(() -> !evaluated.of("trained", ModelEvaluated.class).isEmpty());
        assertThat(evaluated.of("trained", ModelEvaluated.class).get(0).report())
                .isEqualTo(Keys.evaluation("trained", "step-00000040"));
        assertThat(partsOf("trained")).isEqualTo(1);
        assertThat(partsOf("unasked")).isZero();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "few     |{\"images\": 9, \"scores\": [\"is\"], \"inception\": \"s3://distillery/i.pt\", \"inceptionSha256\":"
                        + " \"%s\"}|need 10 images or more but there are 9",
                "unknown |{\"images\": 10, \"scores\": [\"is\"], \"inception\": \"s3://distillery/i.pt\", \"inceptionSha256\":"
                        + " \"%s\"}|0000 is not of a program that this installation runs",
                "nowhere |{\"images\": 2, \"scores\": [\"clip\"], \"clip\": \"s3://distillery/none\"}|no model below none/",
                "foreign |{\"images\": 2, \"scores\": [\"clip\"], \"clip\": \"s3://other/clip\"}|must begin with"
                        + " s3://distillery/ but was 's3://other/clip'",
                "changed |{\"images\": 3, \"steps\": 1}|was requested with other settings"
            })
    void shouldSayWhyItCannotScore(String run, String evaluate, String reason) throws Exception {
        // Given
        MadeRun.write(store, run, "{}");
        if (run.equals("changed")) {
            request("{\"run\": \"changed\", \"evaluate\": {\"images\": 2, \"steps\": 1}}");
        }

        // When
        request("{\"run\": \"" + run + "\", \"evaluate\": " + evaluate.formatted("0".repeat(64)) + "}");

        // Then
        awaitTrue(() -> !runEvents.of(run, EvaluationFailed.class).isEmpty());
        assertThat(runEvents.of(run, EvaluationFailed.class).get(0).reason()).contains(reason);
        awaitTrue(() -> dead.records().stream().anyMatch(record -> run.equals(record.key())));
    }

    private long partsOf(String run) {
        return parts.records().stream()
                .filter(record -> record.key().startsWith(run + "/"))
                .count();
    }

    private void request(String json) {
        EvaluateRequest request = EventJson.read(json.getBytes(UTF_8), EvaluateRequest.class);
        publisher.publishAndWait(Topic.EVALUATE_REQUESTS, request.run(), request);
    }

    private static void awaitTrue(Callable<Boolean> condition) {
        await().atMost(Duration.ofSeconds(60)).until(condition);
    }
}
