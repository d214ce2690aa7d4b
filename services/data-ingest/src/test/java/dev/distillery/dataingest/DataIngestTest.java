package dev.distillery.dataingest;

import java.nio.channels.Channels;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
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
import dev.distillery.dataingest.source.web.WebServer;
import dev.distillery.diffusion.image.RgbImage;
import dev.distillery.diffusion.safetensors.DType;
import dev.distillery.diffusion.safetensors.SafetensorsFile;
import dev.distillery.diffusion.singlefile.SingleFile;
import dev.distillery.events.EventCodec;
import dev.distillery.events.ShardIngested;
import dev.distillery.events.Topic;
import dev.distillery.hub.HubServer;
import io.quarkus.test.common.QuarkusTestResource;
import io.quarkus.test.junit.QuarkusTest;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
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
    void shouldUnpackATeacherThatIsASingleFileInAStore() throws Exception {
        // Given
        Path mini = EXAMPLES.resolve("mini-sdxl");
        try (var single = new SingleFile(mini.resolve("unet"), mini)) {
            store.putStream(
                    "uploads/mini.safetensors",
                    out -> single.write(
                            Channels.newChannel(out),
                            DType.F16,
                            new SingleFile.About("mini", "", 64, "2026-01-01", false)));
        }

        // When
        request(
                "single",
                """
                {"run": "single", "teacher": {"model": "s3://distillery/uploads/mini.safetensors"},
                 "dataset": {"source": "file://%s"}, "encode": {"resolution": 64}}
                """
                        .formatted(pictures("single")));

        // Then
        String model = Keys.model(shards("single", 1).get(0).model());
        Manifest manifest = Manifests.find(store, model).orElseThrow();
        assertThat(manifest.about()).containsEntry("source", "s3://distillery/uploads/mini.safetensors");
        assertThat(manifest.files())
                .extracting(Manifest.FileEntry::name)
                .contains("model_index.json", "tokenizer_2/vocab.json", "text_encoder_2/model.safetensors");
        Path unet = folder.resolve("unet.safetensors");
        store.fetch(model + "unet/diffusion_pytorch_model.safetensors", unet);
        try (var ours = SafetensorsFile.open(unet);
                var theirs = SafetensorsFile.open(mini.resolve("unet/diffusion_pytorch_model.safetensors"))) {
            assertThat(ours.tensors()).containsOnlyKeys(theirs.tensors().keySet());
            assertThat(ours.tensors().keySet())
                    .allSatisfy(name -> assertThat(ours.data(name)).isEqualTo(theirs.data(name)));
        }
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

    @Test
    void shouldDownloadThePicturesOfAListAndCountWhatIsNotThereByReason() throws Exception {
        // Given a list on the web of 300 pictures on two hosts, of which some are none
        try (var server = new WebServer()) {
            var list = new StringBuilder("URL,TEXT\n");
            for (int i = 0; i < 300; i++) {
                byte[] rgb = {(byte) i, (byte) (i >> 8), 0};
                switch (i % 100) {
                    case 7 -> server.at("/7/" + i + ".jpg", "<html>gone</html>".getBytes());
                    case 8 -> server.at("/8/" + i + ".jpg", WebServer.status(302, "Location", "/nowhere"));
                    case 9 -> server.at("/9/" + i + ".jpg", WebServer.status(403));
                    default -> server.at("/" + i % 100 + "/" + i + ".jpg", new RgbImage(1, 1, rgb).png());
                }
                list.append("http://%s:%d/%d/%d.jpg,\"picture, %d\"\n"
                        .formatted(i % 2 == 0 ? "127.0.0.1" : "localhost", server.port(), i % 100, i, i));
            }
            list.append("ftp://127.0.0.1/a.jpg,an old one\n");
            server.at("/list.csv", list.toString().getBytes());

            // When
            String columns = ", \"image\": \"URL\", \"caption\": \"TEXT\"";
            request("links", request("links", "http://127.0.0.1:" + server.port() + "/list.csv", columns));

            // Then
            assertThat(broker.events("links", "dataset-ingested", 1))
                    .last()
                    .asString()
                    .contains("\"pairs\":291,\"skipped\":10,\"shards\":2");
        }
        ShardIngested shard = shards("links", 2).get(0);
        String prefix = Keys.dataset(shard.dataset());
        Manifest manifest = Manifests.find(store, prefix).orElseThrow();
        assertThat(manifest.about().get("reasons"))
                .isEqualTo(
                        Map.of("not an image of a known format", 3, "not found", 3, "refused", 3, "no web address", 1));
        assertThat(new String(store.read(Keys.shard(prefix, 0, "skipped.jsonl"))))
                .contains("list.csv row 7 (http://localhost:")
                .contains("\"refused\",\"detail\":\"HTTP 403 of localhost\"");
        var captions = new ArrayList<String>();
        try (var tar = new TarArchiveInputStream(store.open(Keys.shard(prefix, 0, "tar")))) {
            for (var entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
                if (entry.getName().endsWith(".txt")) {
                    captions.add(new String(tar.readAllBytes()));
                }
            }
        }
        assertThat(captions).hasSize(256).startsWith("picture, 0", "picture, 1").contains("picture, 6", "picture, 10");
        assertThat(captions.indexOf("picture, 10")).isEqualTo(7);
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
