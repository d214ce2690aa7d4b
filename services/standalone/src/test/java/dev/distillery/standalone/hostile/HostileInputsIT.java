package dev.distillery.standalone.hostile;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.artifacts.Keys;
import dev.distillery.artifacts.ObjectInfo;
import dev.distillery.events.EventCodec;
import dev.distillery.events.Topic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/**
 * A whole installation is sent everything that is in the tables of hostile inputs. Each is answered in time and as it should
 * be; then all services are well and do a good run, and nothing was written or told that should not be.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class HostileInputsIT {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Duration TIME_FOR_ONE = Duration.ofSeconds(30);
    private static final Duration TIME_FOR_A_RUN = Duration.ofMinutes(3);
    private static final String SECRET = "canary-outside-51c9";

    @TempDir(cleanup = CleanupMode.ON_SUCCESS) // the services' logs tell what went wrong
    static Path root;

    private Path examples;
    private Path inputs;
    private Path outside;
    private Installation installation;
    private Topics topics;

    @BeforeAll
    void start() throws IOException {
        examples = Path.of("../../deploy/examples").toRealPath();
        inputs = Files.createDirectory(root.toRealPath().resolve("inputs"));
        outside = Files.createDirectory(root.toRealPath().resolve("outside"));
        Files.writeString(outside.resolve("secret.txt"), SECRET);
        Files.copy(examples.resolve("noto-emoji/README.md"), outside.resolve("README.md"));
        installation = new Installation(root.toRealPath(), List.of(examples, inputs));
        topics = new Topics(installation.kafka());
    }

    @AfterAll
    void stop() {
        topics.close();
        installation.close();
    }

    static List<HostileInput> inputs() {
        return HostileInput.all();
    }

    @ParameterizedTest
    @MethodSource("inputs")
    @Order(1)
    @Timeout(60)
    void shouldAnswer(HostileInput input) throws Exception {
        // Given
        Scene scene = scene(input);
        ProducerRecord<String, byte[]> record = record(input, scene);
        int mark = topics.mark();
        String answer = input.answer().split(" ")[0];
        String field = input.answer().substring(answer.length()).strip();
        if (answer.equals("not")) {
            assertThatThrownBy(() -> topics.send(record)).hasRootCauseInstanceOf(RecordTooLargeException.class);
            return;
        }

        // When
        topics.send(record);

        // Then
        switch (answer) {
            case "rejected" -> {
                awaitAnswer(mark, isEvent("run-rejected").and(a -> hasViolation(a, field, input.says())));
                awaitAnswer(mark, isDeadLetterOf(record));
            }
            case "answered" ->
                awaitAnswer(mark, isEvent("run-rejected").and(a -> hasViolation(a, field, input.says())));
            case "dead" ->
                awaitAnswer(mark, isDeadLetterOf(record).and(a -> Topics.told(a).contains(input.says())));
            case "failed" ->
                awaitAnswer(mark, isEvent("run-failed").and(isOf(input)).and(a -> Topics.told(a)
                        .contains(input.says())));
            case "skipped", "ingested" -> {
                JsonNode ingested = JSON.readTree(
                        awaitAnswer(mark, isEvent("dataset-ingested").and(isOf(input)))
                                .value());
                assertThat(reasons(ingested)).isEqualTo(input.says().isEmpty() ? "{}" : input.says());
            }
            default -> throw new IllegalArgumentException(input + ": unknown answer '" + input.answer() + "'");
        }
    }

    @Test
    @Order(2)
    void shouldStillBeWellAndDoAGoodRun() throws Exception {
        // Given
        ObjectNode request = request("good");
        int mark = topics.mark();

        // When
        topics.send(new ProducerRecord<>(
                Topic.TRAIN_REQUESTS.topic(Topic.DEFAULT_PREFIX), "good", JSON.writeValueAsBytes(request)));

        // Then
        Optional<ConsumerRecord<String, byte[]>> end = topics.await(
                mark,
                TIME_FOR_A_RUN,
                isEvent("run-completed").or(isEvent("run-failed")).and(a -> "good".equals(a.key())));
        assertThat(end).as(topics.told(mark)).hasValueSatisfying(e -> assertThat(EventCodec.type(e))
                .contains("run-completed"));
        assertThat(installation.services()).allMatch(installation::healthy);
    }

    @Test
    @Order(3)
    void shouldHaveWrittenNothingOutsideOfItsPlaces() throws Exception {
        // When
        List<String> keys =
                installation.store().list("").stream().map(ObjectInfo::key).toList();
        List<String> buckets = folders(root.resolve("s3"));

        // Then
        assertThat(buckets).containsExactly("distillery");
        assertThat(keys)
                .allMatch(key -> key.matches("(datasets|latents|models)/[A-Za-z0-9.-]+/[A-Za-z0-9_./-]+"
                        + "|runs/[a-z0-9-]{1,63}/[A-Za-z0-9_./-]+|(queue|leases)/[a-z0-9-]{1,63}\\.json"))
                .noneMatch(key -> ("/" + key + "/").contains("/../"));
        assertThat(Scene.files(outside)).hasSize(2);
        assertThat(folders(root)).containsExactly("inputs", "kafka", "outside", "s3", "tmp", "work");
        for (String service : installation.services()) {
            assertThat(Scene.files(installation.temporary(service)))
                    .as("files that " + service + " left behind")
                    .allMatch(
                            file -> file.toString().matches(".*/(hsperfdata.*|.*\\.so.*|vertx-cache.*|tokenizers.*)"));
        }
    }

    @Test
    @Order(4)
    void shouldHaveToldNoSecret() throws Exception {
        // Given
        List<String> secrets = List.of(Installation.HUB_TOKEN, Installation.STORE_KEY, SECRET, "canary-password");

        // When
        Map<String, String> told = new TreeMap<>();
        for (String service : installation.services()) {
            told.put(service + ".log", Files.readString(installation.log(service), StandardCharsets.ISO_8859_1));
        }
        for (ConsumerRecord<String, byte[]> answer : topics.answers()) {
            // a dead letter is the sender's own record, kept as it was
            boolean deadLetter = answer.topic().endsWith(Topic.DEAD_LETTERS.channel());
            told.merge(answer.topic(), deadLetter ? reason(answer) : Topics.told(answer), String::concat);
        }
        for (ObjectInfo object : installation.store().list("")) {
            if (object.size() < 1 << 20) {
                told.put(
                        object.key(), new String(installation.store().read(object.key()), StandardCharsets.ISO_8859_1));
            }
        }

        // Then
        told.forEach((where, text) -> secrets.forEach(secret ->
                assertThat(text.contains(secret)).as(secret + " in " + where).isFalse()));
    }

    private static String reason(ConsumerRecord<String, byte[]> deadLetter) {
        var reason = deadLetter.headers().lastHeader("dead-letter-reason");
        return reason == null ? "" : new String(reason.value(), StandardCharsets.UTF_8);
    }

    private Scene scene(HostileInput input) throws Exception {
        Path folder = Files.createDirectory(inputs.resolve(input.name()));
        Scene scene = new Scene(
                folder,
                examples.resolve("mini-sdxl"),
                Map.of("noto", examples.resolve("noto-emoji"), "outside", outside));
        scene.files(input.files());
        if (input.image() != null) {
            scene.image(input.as(), input.image());
        }
        for (Map.Entry<String, JsonNode> object : input.objects().entrySet()) {
            installation.store().put(object.getKey(), scene.content(object.getValue()));
        }
        return scene;
    }

    private ProducerRecord<String, byte[]> record(HostileInput input, Scene scene) throws Exception {
        var record = new ProducerRecord<>(
                Topic.DEFAULT_PREFIX + input.topic(),
                input.key() == null ? input.name() : scene.text(input.key()),
                value(input, scene));
        input.headers().forEach((name, value) -> record.headers()
                .add(name, scene.text(value).getBytes(StandardCharsets.UTF_8)));
        return record;
    }

    private byte[] value(HostileInput input, Scene scene) throws Exception {
        if (input.bytes() != null) {
            return input.bytes().isEmpty() ? null : Base64.getDecoder().decode(input.bytes());
        }
        if (input.value() != null) {
            JsonNode value = input.value();
            String text = value.isTextual() ? value.asText() : value.toString();
            return scene.text(text).getBytes(StandardCharsets.UTF_8);
        }
        ObjectNode request = request(input.name());
        if (!input.files().isEmpty() || input.image() != null) {
            ((ObjectNode) request.get("dataset")).put("source", "file://" + inputs.resolve(input.name()));
        }
        if (!input.teacher().isEmpty()) {
            ((ObjectNode) request.get("teacher")).put("model", "file://" + scene.teacher(input.teacher()));
        }
        if (input.set() != null) {
            JSON.readerForUpdating(request).readValue(scene.text(input.set().toString()));
        }
        // what becomes of its shards is another input's matter
        if (input.answer().matches("skipped|ingested")) {
            installation.store().put(Keys.cancelled(input.name()), "{}".getBytes(StandardCharsets.UTF_8));
        }
        return JSON.writeValueAsBytes(request);
    }

    /** One that can be done, quickly. */
    private ObjectNode request(String run) throws IOException {
        return (ObjectNode) JSON.readTree(
                """
                {"run": "%s", "teacher": {"model": "file://%s"}, "dataset": {"source": "file://%s", "caption": "text", "limit": 4},
                 "encode": {"resolution": 64}, "samples": {"size": 64, "steps": 1},
                 "train": {"steps": 1, "batch": 1, "precision": "fp32", "optimizer": {"type": "adamw"}, "checkpoint": {"everySteps": 1}}}
                """
                        .formatted(run, examples.resolve("mini-sdxl"), examples.resolve("noto-emoji")));
    }

    private ConsumerRecord<String, byte[]> awaitAnswer(int mark, Predicate<ConsumerRecord<String, byte[]>> such) {
        Optional<ConsumerRecord<String, byte[]>> answer = topics.await(mark, TIME_FOR_ONE, such);
        assertThat(answer).as("instead: " + shortened(topics.told(mark))).isPresent();
        return answer.get();
    }

    private static String shortened(String text) {
        return text.length() > 4000 ? text.substring(0, 4000) + "..." : text;
    }

    private static Predicate<ConsumerRecord<String, byte[]>> isEvent(String name) {
        return answer -> answer.topic().equals(Topic.RUN_EVENTS.topic(Topic.DEFAULT_PREFIX))
                && ("dev.distillery." + name + ".v1").equals(EventCodec.type(answer));
    }

    private static Predicate<ConsumerRecord<String, byte[]>> isOf(HostileInput input) {
        return answer -> input.name().equals(answer.key());
    }

    private static Predicate<ConsumerRecord<String, byte[]>> isDeadLetterOf(ProducerRecord<String, byte[]> record) {
        return answer -> answer.topic().equals(Topic.DEAD_LETTERS.topic(Topic.DEFAULT_PREFIX))
                && Arrays.equals(answer.value(), record.value());
    }

    private static boolean hasViolation(ConsumerRecord<String, byte[]> rejected, String path, String says) {
        try {
            for (JsonNode violation : JSON.readTree(rejected.value()).path("violations")) {
                if (violation.path("path").asText().equals(path)
                        && violation.path("message").asText().contains(says)) {
                    return true;
                }
            }
            return false;
        } catch (IOException e) {
            throw new AssertionError("no JSON: " + Topics.told(rejected), e);
        }
    }

    private String reasons(JsonNode ingested) throws IOException {
        String manifest = Keys.manifest(Keys.dataset(ingested.path("dataset").asText()));
        return JSON.readTree(installation.store().read(manifest))
                .at("/about/reasons")
                .toString();
    }

    private static List<String> folders(Path folder) throws IOException {
        try (var all = Files.list(folder)) {
            return List.copyOf(new TreeSet<>(all.filter(Files::isDirectory)
                    .map(f -> f.getFileName().toString())
                    .filter(name -> !name.startsWith("."))
                    .toList()));
        }
    }
}
