package dev.distillery.dataingest;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

import jakarta.inject.Inject;

import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.Keys;
import dev.distillery.artifacts.Manifest;
import dev.distillery.artifacts.Manifests;
import dev.distillery.artifacts.ObjectInfo;
import dev.distillery.dataingest.source.hub.HubServer;
import dev.distillery.diffusion.image.RgbImage;
import dev.distillery.events.EventCodec;
import dev.distillery.events.ShardIngested;
import dev.distillery.events.Topic;
import io.quarkus.test.common.QuarkusTestResource;
import io.quarkus.test.junit.QuarkusTest;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static java.util.Map.entry;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/** The service as it runs, on a real broker and a real store. */
@QuarkusTest
@QuarkusTestResource(Infrastructure.class)
class DataIngestTest {
    private static final Path EXAMPLES =
            Path.of("../../deploy/examples").toAbsolutePath().normalize();

    @Inject
    ArtifactStore store;

    @ConfigProperty(name = "kafka.bootstrap.servers")
    String servers;

    @ConfigProperty(name = "distillery.store.endpoint")
    String endpoint;

    @TempDir
    Path folder;

    private Broker broker;

    @BeforeEach
    void connect() {
        broker = new Broker(servers);
    }

    @Test
    void shouldBringTheExampleIntoTheStoreAndSayTheSameAgainWhenAskedAgain() throws Exception {
        // Given
        String request = request("happy", "file://" + EXAMPLES.resolve("noto-emoji"), "");

        // When
        request("happy", request);
        List<String> events = broker.events("happy", "dataset-ingested", 1);
        List<ShardIngested> shards = shards("happy", 8);
        List<ObjectInfo> objects = store.list("");
        request("happy", request);

        // Then
        assertThat(events.get(0)).startsWith("dev.distillery.run-accepted.v1");
        assertThat(events).anyMatch(e -> e.contains("stage-progress") && e.contains("\"stage\":\"ingest\""));
        assertThat(events.get(events.size() - 1)).contains("\"pairs\":1911,\"skipped\":0,\"shards\":8");
        assertThat(shards).extracting(ShardIngested::shard).containsExactlyInAnyOrder(0, 1, 2, 3, 4, 5, 6, 7);
        assertThat(shards).extracting(ShardIngested::pairs).containsOnly(256, 119);
        Manifest dataset =
                Manifests.find(store, Keys.dataset(shards.get(0).dataset())).orElseThrow();
        assertThat(dataset.files()).hasSize(16);
        Manifest model =
                Manifests.find(store, Keys.model(shards.get(0).model())).orElseThrow();
        assertThat(model.files())
                .extracting(Manifest.FileEntry::name)
                .contains("unet/diffusion_pytorch_model.safetensors", "tokenizer_2/merges.txt");
        assertThat(store.stat(Keys.stage("happy", "ingest"))).isPresent();

        List<ShardIngested> again = shards("happy", 16);
        assertThat(again.subList(8, 16)).containsExactlyInAnyOrderElementsOf(shards);
        assertThat(store.list("")).isEqualTo(objects);
    }

    @Test
    void shouldBringTeacherAndPairsFromTheHubAndKeepTheirRevision() throws Exception {
        // When
        request(
                "hub",
                """
                {"run": "hub", "teacher": {"model": "hf://distillery/mini-sdxl"},
                 "dataset": {"source": "hf://datasets/distillery/noto-emoji", "limit": 20}, "encode": {"resolution": 64}}
                """);

        // Then
        ShardIngested shard = shards("hub", 1).get(0);
        assertThat(shard.pairs()).isEqualTo(20);
        assertThat(Manifests.find(store, Keys.model(shard.model()))
                        .orElseThrow()
                        .about())
                .containsEntry("source", "hf://distillery/mini-sdxl@" + HubServer.COMMIT);
        assertThat(Manifests.find(store, Keys.dataset(shard.dataset()))
                        .orElseThrow()
                        .about())
                .containsEntry("source", "hf://datasets/distillery/noto-emoji@" + HubServer.COMMIT);
    }

    @Test
    void shouldRejectTheNameOfAnotherRun() throws Exception {
        // Given
        String source = "file://" + pictures("other");
        request("taken", request("taken", source, ""));
        broker.events("taken", "dataset-ingested", 1);

        // When
        request("taken", request("taken", source, ", \"limit\": 1"));

        // Then
        assertThat(broker.events("taken", "run-rejected", 1))
                .last()
                .asString()
                .contains("\"path\":\"run\"")
                .contains("take another name");
        awaitDeadLetter("\"limit\": 1");
    }

    @Test
    void shouldNameEveryThingThatIsWrongAndKeepTheRequest() throws Exception {
        // Given a request that no single correction would save
        String request =
                """
                {"run": "wrong", "teacher": {"model": "file://%s", "vae": "hf://a/b"},
                 "dataset": {"source": "file://%s", "caption": "words"}, "student": {"layout": "huge"},
                 "encode": {"resolution": 72}}"""
                        .formatted(EXAMPLES.resolve("mini-sdxl"), EXAMPLES.resolve("noto-emoji"));

        // When
        request("wrong", request);

        // Then
        String rejected = broker.events("wrong", "run-rejected", 1).get(0);
        assertThat(rejected)
                .contains("hf://a/b is not there, or is private")
                .contains("has no column 'words'; it has image, text");
        awaitDeadLetter("\"huge\"");

        request("wrong", request.replace("\"vae\": \"hf://a/b\"", "\"vae\": null"));
        assertThat(broker.events("wrong", "run-rejected", 2).get(1))
                .contains("\"path\":\"student.layout\",\"value\":\"huge\"")
                .contains("there are small, tiny")
                .contains("must be a multiple of 16");
    }

    @Test
    void shouldAnswerWhatIsNoRequestAtAll() throws Exception {
        // When
        broker.publish(Topic.TRAIN_REQUESTS, "torn", "{\"run\": \"torn", Map.of());
        broker.publish(Topic.TRAIN_REQUESTS, "foreign", "{}", Map.of("ce_type", "com.example.order.v1"));

        // Then
        assertThat(broker.events("torn", "run-rejected", 1)).isNotEmpty();
        assertThat(broker.events("foreign", "run-rejected", 1).get(0)).contains("com.example.order.v1");
        awaitDeadLetter("{\"run\": \"torn");
    }

    @Test
    void shouldGoOnWithoutBadImagesAndCountThem() throws Exception {
        // Given
        Path pictures = pictures("mixed");
        Files.write(pictures.resolve("2.png"), new byte[0]);
        Files.writeString(pictures.resolve("3.png"), "<html>not found</html>");

        // When the request comes in an envelope
        broker.publish(
                Topic.TRAIN_REQUESTS,
                "mixed",
                "{\"specversion\": \"1.0\", \"id\": \"1\", \"source\": \"/me\", "
                        + "\"type\": \"dev.distillery.train-request.v1\", \"data\": "
                        + request("mixed", "file://" + pictures, "") + "}",
                Map.of("content-type", "application/cloudevents+json"));

        // Then
        assertThat(broker.events("mixed", "dataset-ingested", 1))
                .last()
                .asString()
                .contains("\"pairs\":3,\"skipped\":2");
        ShardIngested shard = shards("mixed", 1).get(0);
        Manifest manifest = Manifests.find(store, Keys.dataset(shard.dataset())).orElseThrow();
        assertThat(manifest.about().get("reasons"))
                .isEqualTo(Map.ofEntries(entry("the file is empty", 1), entry("not an image of a known format", 1)));
        assertThat(new String(store.read(Keys.shard(Keys.dataset(shard.dataset()), 0, "skipped.jsonl"))))
                .contains("metadata.jsonl line 3 (2.png)")
                .contains("metadata.jsonl line 4 (3.png)");
    }

    @Test
    void shouldFailTheRunWhenNothingIsLeft() throws Exception {
        // Given
        Path pictures = pictures("broken");
        for (int i = 0; i < 5; i++) {
            Files.writeString(pictures.resolve(i + ".png"), "version https://git-lfs.github.com/spec/v1");
        }

        // When
        request("broken", request("broken", "file://" + pictures, ""));

        // Then
        assertThat(broker.events("broken", "run-failed", 1))
                .last()
                .asString()
                .contains("every pair of file://")
                .contains("not an image of a known format=5");
    }

    @Test
    void shouldReadAPrefixOfAnotherBucketAndTakeAtMostTheLimit() throws Exception {
        // Given
        ArtifactStore other = Infrastructure.store(endpoint, "pictures");
        other.ensureBucket();
        try (Stream<Path> files = Files.list(EXAMPLES.resolve("noto-emoji/data"))) {
            for (Path file : files.toList()) {
                other.put("noto/data/" + file.getFileName(), file);
            }
        }

        // When
        request("bucket", request("bucket", "s3://pictures/noto", ", \"limit\": 500"));

        // Then
        assertThat(broker.events("bucket", "dataset-ingested", 1))
                .last()
                .asString()
                .contains("\"pairs\":500,\"skipped\":0,\"shards\":2");
        assertThat(shards("bucket", 2)).extracting(ShardIngested::pairs).containsExactlyInAnyOrder(256, 244);
    }

    /** Five good images with captions. */
    private Path pictures(String name) throws Exception {
        Path pictures = Files.createDirectories(folder.resolve(name));
        var metadata = new StringBuilder();
        for (int i = 0; i < 5; i++) {
            byte[] rgb = {(byte) i, 0, 0};
            Files.write(pictures.resolve(i + ".png"), new RgbImage(1, 1, rgb).png());
            metadata.append("{\"file_name\": \"%d.png\", \"text\": \"picture %d\"}%n".formatted(i, i));
        }
        Files.writeString(pictures.resolve("metadata.jsonl"), metadata);
        return pictures;
    }

    private static String request(String run, String source, String more) {
        return """
                {"run": "%s", "teacher": {"model": "file://%s"}, "dataset": {"source": "%s"%s},
                 "encode": {"resolution": 64},
                 "train": {"precision": "fp32", "optimizer": {"type": "adamw"}}}"""
                .formatted(run, EXAMPLES.resolve("mini-sdxl"), source, more);
    }

    private void request(String run, String json) throws Exception {
        broker.publish(Topic.TRAIN_REQUESTS, run, json, Map.of());
    }

    private List<ShardIngested> shards(String run, int count) {
        return await().until(
                        () -> broker.records(Topic.SHARDS_INGESTED).stream()
                                .filter(r -> r.key().startsWith(run + "/"))
                                .sorted(Comparator.comparingLong(r -> r.timestamp()))
                                .map(r -> EventCodec.read(r, ShardIngested.class))
                                .toList(),
                        shards -> shards.size() >= count);
    }

    private void awaitDeadLetter(String part) {
        await().until(() ->
                broker.records(Topic.DEAD_LETTERS).stream().anyMatch(r -> new String(r.value()).contains(part)));
    }
}
