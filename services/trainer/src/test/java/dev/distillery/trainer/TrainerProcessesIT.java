package dev.distillery.trainer;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.Stream;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.Keys;
import dev.distillery.artifacts.Lease;
import dev.distillery.artifacts.ObjectInfo;
import dev.distillery.artifacts.PrefixWriter;
import dev.distillery.embedded.Embedded;
import dev.distillery.events.DatasetEncoded;
import dev.distillery.events.EventCodec;
import dev.distillery.events.EventJson;
import dev.distillery.events.Topic;
import dev.distillery.events.TrainingCompleted;
import dev.distillery.events.TrainingProgress;
import dev.distillery.testing.Infrastructure;
import dev.distillery.testing.Published;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.GroupState;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/** Two trainers as processes of their own on one broker and one store: they share the queue, and one mends what the other left. */
class TrainerProcessesIT {

    private static final Path TEACHER = Path.of("../../deploy/examples/mini-sdxl");
    private static final Duration LEASE = Duration.ofSeconds(6);
    private static final int STEPS = 60;

    @TempDir
    Path dir;

    private Embedded embedded;
    private ArtifactStore store;
    private KafkaProducer<String, byte[]> producer;
    private Published runEvents;
    private Map<String, String> settings;
    private final List<TrainerProcess> trainers = new ArrayList<>();

    @BeforeEach
    void start() throws IOException {
        embedded = Embedded.startTemporary();
        embedded.kafka()
                .createTopics(
                        Arrays.stream(Topic.values())
                                .map(topic -> topic.topic(Topic.DEFAULT_PREFIX))
                                .toList(),
                        2);
        store = Infrastructure.store(embedded.s3().endpoint(), "distillery");
        store.ensureBucket();
        upload(Keys.model("mini-sdxl"), TEACHER, Map.of());
        upload(Keys.latents("made"), MadeLatents.write(dir.resolve("latents"), 1, 6), MadeLatents.about(1, 6, 0));
        String bootstrapServers = embedded.kafka().bootstrapServers();
        producer = new KafkaProducer<>(
                Map.of("bootstrap.servers", bootstrapServers), new StringSerializer(), new ByteArraySerializer());
        runEvents = new Published(bootstrapServers, Topic.RUN_EVENTS);
        settings = new TreeMap<>(embedded.settings());
        settings.put("distillery.trainer.lease-ttl", LEASE.toString());
        settings.put("kafka.session.timeout.ms", String.valueOf(LEASE.toMillis()));
        settings.put("kafka.heartbeat.interval.ms", "2000");
    }

    private void startTwo() throws IOException {
        start("one", Map.of());
        start("two", Map.of());
        awaitConsumers(2);
    }

    private TrainerProcess start(String id, Map<String, String> more) throws IOException {
        Map<String, String> all = new TreeMap<>(settings);
        all.putAll(more);
        TrainerProcess trainer = new TrainerProcess(id, dir, all);
        trainers.add(trainer);
        return trainer;
    }

    @AfterEach
    void stop() {
        trainers.forEach(TrainerProcess::close);
        runEvents.close();
        producer.close();
        embedded.close();
    }

    @Test
    void shouldStartEveryRunWithinFiveSecondsAndGoOnWithThatOfAKilledTrainer() throws Exception {
        startTwo();
        // Given two runs that are the same but for their names
        for (String run : List.of("first", "second")) {
            // When, with one trainer idle
            encoded(run);
            // Then
            await().atMost(Duration.ofSeconds(5))
                    .until(() -> store.stat(Keys.lease(run)).isPresent());
        }
        assertThat(List.of(owner("first"), owner("second"))).containsExactlyInAnyOrder("one", "two");

        // When one of them is killed after its first checkpoint
        awaitTrue(() ->
                store.stat(Keys.manifest(Keys.checkpoint("first", STEPS / 3))).isPresent());
        trainer(owner("first")).kill();

        // Then the other takes the run over, and both end with the same student
        awaitTrue(() -> completed("second") && completed("first"));
        assertThat(owner("first")).isEqualTo(owner("second"));
        assertThat(runEvents.of("first", TrainingProgress.class)).anyMatch(progress -> progress.step() == STEPS);
        assertThat(student("first")).isEqualTo(student("second"));
    }

    @Test
    void shouldWriteNothingMoreWhenItHasSleptAndLostItsLease() throws Exception {
        startTwo();

        // Given a trainer that falls asleep in the middle of a run
        encoded("slept");
        awaitTrue(() -> runEvents.of("slept", TrainingProgress.class).stream()
                .anyMatch(progress -> progress.step() > STEPS / 3));
        TrainerProcess sleeper = trainer(owner("slept"));
        sleeper.sleep();

        // And another that takes the run over and ends it
        awaitTrue(() -> completed("slept"));
        awaitTrue(() -> !Lease.isHeld(store, "slept")); // given back after the event, the last that it writes
        assertThat(owner("slept")).isNotEqualTo(sleeper.id());
        Map<String, String> before = objects("slept");
        int events = runEvents.types("slept").size();

        // When
        sleeper.wakeUp();

        // Then
        awaitTrue(() -> sleeper.said("Another trainer has the run, leaving it: run=slept"));
        assertThat(objects("slept")).isEqualTo(before);

        // And it works on what comes next
        trainers.stream().filter(trainer -> trainer != sleeper).forEach(TrainerProcess::close);
        encoded("next");
        awaitTrue(() -> completed("next"));
        assertThat(owner("next")).isEqualTo(sleeper.id());
        assertThat(runEvents.types("slept")).hasSize(events);
        assertThat(objects("slept")).isEqualTo(before);
    }

    @Test
    void shouldEndAfterItsRunsOrWhenThereIsNothingToDo() throws Exception {
        // Given two runs, and a trainer for one, as a job has it
        encoded("first");
        encoded("second");
        TrainerProcess job = start("job", Map.of("distillery.trainer.runs", "1"));

        // When
        int code = job.exitCode();

        // Then the other run waits
        assertThat(code).isZero();
        assertThat(store.list(Keys.queue())).hasSize(1);

        // And is done by one that ends when nothing is left
        TrainerProcess rest = start("rest", Map.of("distillery.trainer.idle-timeout", "PT3S"));
        assertThat(rest.exitCode()).isZero();
        assertThat(store.list(Keys.queue())).isEmpty();
        awaitTrue(() -> completed("first") && completed("second"));
    }

    @Test
    void shouldLeaveACheckpointWhenItIsToldToGo() throws Exception {
        // Given
        TrainerProcess trainer = start("leaves", Map.of());
        encoded("left");
        awaitTrue(() -> !runEvents.of("left", TrainingProgress.class).isEmpty());

        // When
        trainer.terminate();

        // Then
        assertThat(trainer.exitCode()).isEqualTo(143);
        assertThat(store.list(Keys.checkpoints("left")))
                .anyMatch(file -> file.key().endsWith("manifest.json"));
        assertThat(Lease.isHeld(store, "left")).isFalse();
        assertThat(store.list(Keys.queue())).hasSize(1);
    }

    private TrainerProcess trainer(String id) {
        return trainers.stream()
                .filter(trainer -> trainer.id().equals(id))
                .findFirst()
                .orElseThrow();
    }

    private String owner(String run) {
        try {
            return new ObjectMapper()
                    .readTree(store.read(Keys.lease(run)))
                    .path("owner")
                    .asText();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private boolean completed(String run) {
        return !runEvents.of(run, TrainingCompleted.class).isEmpty();
    }

    /** Everything that is kept of a run, with what identifies its content. */
    private Map<String, String> objects(String run) {
        return store.list(Keys.run(run)).stream().collect(Collectors.toMap(ObjectInfo::key, ObjectInfo::etag));
    }

    private byte[] student(String run) {
        return store.read(Keys.checkpoint(run, STEPS) + "unet/diffusion_pytorch_model.safetensors");
    }

    private void encoded(String run) {
        String yaml =
                """
                run: %s
                teacher: {model: "file:///teacher"}
                dataset: {source: "file:///data"}
                encode: {resolution: 64}
                train: {steps: %d, batch: 1, precision: fp32, optimizer: {type: adamw}, checkpoint: {everySteps: %d}}
                """
                        .formatted(run, STEPS, STEPS / 3);
        store.put(Keys.request(run), yaml.getBytes(StandardCharsets.UTF_8));
        DatasetEncoded event = new DatasetEncoded(run, "data", "mini-sdxl", "made", 1, 6);
        producer.send(new ProducerRecord<>(
                Topic.DATASETS_ENCODED.topic(Topic.DEFAULT_PREFIX),
                null,
                run,
                EventJson.write(event),
                EventCodec.headers(event)));
        producer.flush();
    }

    private void upload(String prefix, Path folder, Map<String, Object> about) throws IOException {
        PrefixWriter writer = new PrefixWriter(store, prefix);
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                writer.add(folder.relativize(file).toString(), file);
            }
        }
        writer.complete("test", about);
    }

    /** Until so many members have their partitions: what is published then is read at once. */
    private void awaitConsumers(int processes) {
        try (Admin admin =
                Admin.create(Map.of("bootstrap.servers", embedded.kafka().bootstrapServers()))) {
            awaitTrue(() -> {
                ConsumerGroupDescription group = admin.describeConsumerGroups(List.of("trainer"))
                        .describedGroups()
                        .get("trainer")
                        .get();
                return group.groupState() == GroupState.STABLE
                        && group.members().size() == 2 * processes;
            });
        }
    }

    private static void awaitTrue(Callable<Boolean> condition) {
        await().atMost(Duration.ofMinutes(2)).ignoreExceptions().until(condition);
    }
}
