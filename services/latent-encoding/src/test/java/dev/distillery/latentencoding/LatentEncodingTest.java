package dev.distillery.latentencoding;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;

import jakarta.inject.Inject;

import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.Keys;
import dev.distillery.artifacts.Manifest;
import dev.distillery.artifacts.Manifests;
import dev.distillery.artifacts.ObjectInfo;
import dev.distillery.artifacts.PrefixWriter;
import dev.distillery.diffusion.image.RgbImage;
import dev.distillery.diffusion.safetensors.SafetensorsFile;
import dev.distillery.events.DatasetEncoded;
import dev.distillery.events.EventCodec;
import dev.distillery.events.EventJson;
import dev.distillery.events.ShardIngested;
import dev.distillery.events.Topic;
import dev.distillery.events.TrainRequest;
import dev.distillery.testing.Infrastructure;
import io.quarkus.test.common.QuarkusTestResource;
import io.quarkus.test.junit.QuarkusTest;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/** The service as it runs, on a real broker and a real store. */
@QuarkusTest
@QuarkusTestResource(Infrastructure.class)
class LatentEncodingTest {
    private static final Path MINI_SDXL = Path.of("../../deploy/examples/mini-sdxl");
    private static final String MODEL = "f00d";

    @Inject
    ArtifactStore store;

    @ConfigProperty(name = "kafka.bootstrap.servers")
    String servers;

    @TempDir
    Path folder;

    private Broker broker;

    @BeforeEach
    void connectAndPutTheTeacherThere() throws IOException {
        broker = new Broker(servers);
        if (Manifests.find(store, Keys.model(MODEL)).isPresent()) {
            return;
        }
        var writer = new PrefixWriter(store, Keys.model(MODEL));
        for (String part : List.of("unet", "vae", "text_encoder", "text_encoder_2", "tokenizer", "tokenizer_2")) {
            try (Stream<Path> files = Files.list(MINI_SDXL.resolve(part))) {
                files.forEach(file -> writer.add(part + "/" + file.getFileName(), file));
            }
        }
        writer.complete("model", Map.of());
    }

    @Test
    void shouldMakeOneManifestHoweverOftenAndInWhateverOrderShardsAreAnnounced() throws Exception {
        // Given
        request("repeated");
        dataset("da7a", 3, 2, 4);
        List<ShardIngested> shards = shards("repeated", "da7a", 3, 2, 4);

        // When
        for (int i : new int[] {2, 0, 2, 0, 1, 1, 2}) {
            announce(shards.get(i));
        }

        // Then
        DatasetEncoded encoded = encoded("repeated", 1).get(0);
        assertThat(encoded.pairs()).isEqualTo(9);
        assertThat(encoded.shards()).isEqualTo(3);
        String prefix = Keys.latents(encoded.latents());
        Manifest manifest = Manifests.find(store, prefix).orElseThrow();
        assertThat(manifest.files())
                .extracting(Manifest.FileEntry::name)
                .containsExactly(
                        "shards/00000.safetensors",
                        "shards/00000.captions.jsonl",
                        "shards/00001.safetensors",
                        "shards/00001.captions.jsonl",
                        "shards/00002.safetensors",
                        "shards/00002.captions.jsonl");
        Path file = folder.resolve("shard");
        Files.write(file, store.read(Keys.shard(prefix, 2, "safetensors")));
        try (SafetensorsFile tensors = SafetensorsFile.open(file)) {
            assertThat(tensors.tensors().get("mean.8x8").shape()).containsExactly(4, 2, 4, 8, 8);
            assertThat(tensors.tensors().get("prompt_embeds").shape()).containsExactly(3, 77, 96);
        }
        assertThat(store.stat(Keys.stage("repeated", "encode"))).isPresent();
        assertThat(broker.events("repeated", "dataset-encoded", 1))
                .anyMatch(e -> e.contains("stage-progress") && e.contains("\"stage\":\"encode\""));

        // and when it is all announced once more, nothing is written and the outcome is said again
        await().until(() -> broker.committed("latent-encoding", Topic.SHARDS_INGESTED));
        int said = encoded("repeated", 1).size();
        List<ObjectInfo> objects = store.list("");
        for (ShardIngested shard : shards) {
            announce(shard);
        }
        assertThat(encoded("repeated", said + 1)).containsOnly(encoded);
        assertThat(store.list("")).isEqualTo(objects);
    }

    @Test
    void shouldShareLatentsAmongRunsThatDifferInTrainingOnly() throws Exception {
        // Given
        dataset("5a3e", 2);
        request("first");
        request("second");
        announce(shards("first", "5a3e", 2).get(0));
        DatasetEncoded first = encoded("first", 1).get(0);
        ObjectInfo shard = store.stat(Keys.shard(Keys.latents(first.latents()), 0, "safetensors"))
                .orElseThrow();

        // When
        announce(shards("second", "5a3e", 2).get(0));

        // Then
        assertThat(encoded("second", 1).get(0).latents()).isEqualTo(first.latents());
        assertThat(store.stat(shard.key())).contains(shard);
        assertThat(new String(store.read(Keys.stage("second", "encode")))).contains("\"reused\":true");
    }

    @Test
    void shouldKeepWhatIsNoShardAndFailARunWhoseShardIsMissing() throws Exception {
        // Given
        request("gone");
        dataset("90e", 1);
        store.delete(Keys.shard(Keys.dataset("90e"), 0, "tar"));

        // When
        broker.publish(Topic.SHARDS_INGESTED, "torn/0", "{\"run\": 3", Map.of());
        announce(shards("gone", "90e", 1).get(0));

        // Then
        assertThat(broker.events("gone", "run-failed", 1))
                .last()
                .asString()
                .contains("\"stage\":\"encode\"")
                .contains("is not in the store");
        await().until(() -> broker.records(Topic.DEAD_LETTERS).size() >= 1);
    }

    @Test
    void shouldPutAFailedShardAsideAndEncodeItWhenItComesAgain() throws Exception {
        // Given two runs, of which one allows half of the shards to fail; the first shard, held out, is no tar
        dataset("ba5e", 2, 3);
        byte[] whole = store.read(Keys.shard(Keys.dataset("ba5e"), 1, "tar"));
        store.put(
                Keys.shard(Keys.dataset("ba5e"), 1, "tar"), "<html>".repeat(200).getBytes());
        request("strict", "{\"source\": \"file:///d\"}", "{\"resolution\": 48}");
        request("easy", "{\"source\": \"file:///d\", \"maxFailed\": 0.5}", "{\"resolution\": 64, \"buckets\": true}");

        // When
        for (String run : List.of("strict", "easy")) {
            for (ShardIngested shard : shards(run, "ba5e", 2, 3)) {
                announce(shard);
            }
        }

        // Then
        DatasetEncoded easy = encoded("easy", 1).get(0);
        assertThat(easy.pairs()).isEqualTo(2);
        Manifest manifest = Manifests.find(store, Keys.latents(easy.latents())).orElseThrow();
        assertThat(manifest.about().get("failed").toString()).contains("shard 1: ");
        assertThat(manifest.about().get("shardSizes")).isEqualTo(List.of(Map.of("16x16", 2), Map.of()));
        assertThat(manifest.about().get("sizes").toString()).contains("64x64, ", "96x48");
        assertThat(broker.events("strict", "run-failed", 1))
                .last()
                .asString()
                .contains("1 of 2 shards failed, but 'dataset.maxFailed' is 0.01; shard 1: ");

        // and when the shard is mended and announced again, the strict run is done
        store.put(Keys.shard(Keys.dataset("ba5e"), 1, "tar"), whole);
        announce(shards("strict", "ba5e", 2, 3).get(1));
        assertThat(encoded("strict", 1).get(0).pairs()).isEqualTo(5);
    }

    private void request(String run) {
        request(run, "{\"source\": \"file:///d\"}", "{\"resolution\": 32, \"views\": 2}");
    }

    private void request(String run, String dataset, String encode) {
        String json =
                """
                {"run": "%s", "teacher": {"model": "file:///t"}, "dataset": %s, "encode": %s, "train": {"seed": %d}}"""
                        .formatted(run, dataset, encode, run.hashCode());
        store.put(Keys.request(run), TrainRequest.parse(json).canonicalJson());
    }

    /** A data set as data-ingest leaves it, with two captions in each shard. */
    private void dataset(String fingerprint, int... shardPairs) throws IOException {
        var writer = new PrefixWriter(store, Keys.dataset(fingerprint));
        int first = 0;
        for (int shard = 0; shard < shardPairs.length; shard++) {
            int pairs = shardPairs[shard];
            RgbImage[] images = new RgbImage[pairs];
            String[] captions = new String[pairs];
            for (int i = 0; i < pairs; i++) {
                byte[] rgb = new byte[3 * 40 * 36];
                new Random(first + i).nextBytes(rgb);
                images[i] = new RgbImage(40, 36, rgb);
                captions[i] = "caption " + i % 2;
            }
            ByteArrayInputStream tar = ShardEncoderTest.shard(first, images, captions);
            writer.add(Keys.shardName(shard, "tar"), tar.readAllBytes());
            first += pairs;
        }
        writer.complete(
                "dataset", Map.of("shardPairs", IntStream.of(shardPairs).boxed().toList()));
    }

    private static List<ShardIngested> shards(String run, String dataset, int... pairs) {
        return IntStream.range(0, pairs.length)
                .mapToObj(i -> new ShardIngested(run, dataset, MODEL, i, pairs.length, pairs[i]))
                .toList();
    }

    private void announce(ShardIngested shard) throws Exception {
        broker.publish(
                Topic.SHARDS_INGESTED, shard.run() + "/" + shard.shard(), new String(EventJson.write(shard)), Map.of());
    }

    private List<DatasetEncoded> encoded(String run, int count) {
        return await().until(
                        () -> broker.records(Topic.DATASETS_ENCODED).stream()
                                .filter(r -> r.key().equals(run))
                                .map(r -> EventCodec.read(r, DatasetEncoded.class))
                                .toList(),
                        events -> events.size() >= count);
    }
}
