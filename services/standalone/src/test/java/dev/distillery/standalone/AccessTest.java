package dev.distillery.standalone;

import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.distillery.artifacts.Keys;
import dev.distillery.events.Topic;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

import static org.assertj.core.api.Assertions.assertThat;

/** What the Helm chart lets each service do is what its code needs. Here, because the standalone has every service in its class path. */
class AccessTest {
    private static final Path TABLE = Path.of("../../deploy/helm/distillery/files/access.yaml");
    private static final JsonNode ACCESS = read();
    private static final Pattern GROUP = Pattern.compile("mp\\.messaging\\.incoming\\.([a-z-]+)\\.group\\.id");
    private static final String RUN = "small";

    /** One of every kind of object that is kept. */
    private static final List<String> KEYS = List.of(
            Keys.manifest(Keys.dataset("f")),
            Keys.shard(Keys.dataset("f"), 0, "tar"),
            Keys.manifest(Keys.latents("f")),
            Keys.manifest(Keys.model("f")),
            Keys.request(RUN),
            Keys.metrics(RUN),
            Keys.heldOut(RUN),
            Keys.report(RUN),
            Keys.stage(RUN, "ingest"),
            Keys.stage(RUN, "encode"),
            Keys.stage(RUN, "train"),
            Keys.stage(RUN, "convert"),
            Keys.cancelled(RUN),
            Keys.paused(RUN),
            Keys.extended(RUN),
            Keys.manifest(Keys.checkpoint(RUN, 500)),
            Keys.samples(RUN) + "teacher/00.png",
            Keys.manifest(Keys.runModel(RUN)),
            Keys.manifest(Keys.converted(RUN, 500, "fp16")),
            Keys.evaluation(RUN, "held-out"),
            Keys.queue(RUN),
            Keys.lease(RUN));

    @Test
    void shouldListEveryTopic() {
        // When
        Set<String> topics = names(ACCESS.path("topics").fieldNames());

        // Then
        assertThat(topics)
                .isEqualTo(
                        Stream.of(Topic.values()).map(Topic::channel).collect(Collectors.toCollection(TreeSet::new)));
    }

    @ParameterizedTest
    @MethodSource("channels")
    void shouldLetAServiceReadItsChannelsAndWriteItsDeadLetters(String service, Set<String> channels) {
        // When
        JsonNode kafka = ACCESS.at("/services/" + service + "/kafka");

        // Then
        assertThat(kafka.path("group").asText()).isEqualTo(service);
        assertThat(texts(kafka.path("read"))).isEqualTo(channels);
        assertThat(texts(kafka.path("write")))
                .contains(Topic.DEAD_LETTERS.channel(), Topic.RUN_EVENTS.channel())
                .doesNotContain(Topic.TRAIN_REQUESTS.channel(), Topic.RUN_CONTROL.channel());
    }

    @Test
    void shouldNameKeysThatThereAre() {
        // When
        List<String> unknown = ACCESS.path("services").findValues("s3").stream()
                .flatMap(s3 -> Stream.of("read", "write", "delete").flatMap(right -> texts(s3.path(right)).stream()))
                .filter(pattern -> !pattern.equals("setup/*"))
                .filter(pattern -> KEYS.stream().noneMatch(key -> matches(pattern, key)))
                .toList();

        // Then
        assertThat(unknown).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "data-ingest,     datasets/f/manifest.json,                         rw",
        "data-ingest,     models/f/manifest.json,                           rw",
        "data-ingest,     runs/small/checkpoints/step-00000500/manifest.json, ''",
        "data-ingest,     latents/f/manifest.json,                          ''",
        "latent-encoding, latents/f/manifest.json,                          rw",
        "latent-encoding, datasets/f/manifest.json,                         r",
        "latent-encoding, leases/small.json,                                ''",
        "trainer,         runs/small/checkpoints/step-00000500/manifest.json, rwd",
        "trainer,         leases/small.json,                                rw",
        "trainer,         datasets/f/manifest.json,                         ''",
        "trainer,         latents/f/manifest.json,                          r",
        "trainer,         runs/small/request.json,                          r",
        "trainer,         runs/small/model/manifest.json,                   r",
        "converter,       runs/small/model/manifest.json,                   rwd",
        "converter,       runs/small/checkpoints/step-00000500/manifest.json, r",
        "evaluator,       runs/small/evaluation/held-out.json,              rw",
        "evaluator,       runs/small/model/manifest.json,                   r",
        "evaluator,       runs/small/checkpoints/step-00000500/manifest.json, ''",
        "client,          runs/small/report.html,                           r",
    })
    void shouldGiveNoMoreThanIsNeeded(String service, String key, String rights) {
        // When
        JsonNode s3 = ACCESS.at("/services/" + service + "/s3");

        // Then
        assertThat(Stream.of("read", "write", "delete")
                        .filter(right -> texts(s3.path(right)).stream().anyMatch(pattern -> matches(pattern, key)))
                        .map(right -> right.substring(0, 1))
                        .collect(Collectors.joining()))
                .isEqualTo(rights);
    }

    @ParameterizedTest
    @CsvSource({
        "datasets/f/manifest.json",
        "latents/f/manifest.json",
        "models/f/manifest.json",
        "runs/small/request.json"
    })
    void shouldLetNobodyDeleteWhatOthersBuildOn(String key) {
        // When
        Set<String> deleted = ACCESS.path("services").findValues("s3").stream()
                .flatMap(s3 -> texts(s3.path("delete")).stream())
                .filter(pattern -> matches(pattern, key))
                .collect(Collectors.toSet());

        // Then
        assertThat(deleted).isEmpty();
        assertThat(texts(ACCESS.path("neverDeleted"))).anyMatch(pattern -> matches(pattern, key));
    }

    /** The incoming channels of each service, by its consumer group, as the services themselves are configured. */
    static Stream<Object[]> channels() throws IOException {
        Map<String, Set<String>> channels = new TreeMap<>();
        for (URL url : Collections.list(
                AccessTest.class.getClassLoader().getResources("META-INF/microprofile-config.properties"))) {
            Properties properties = new Properties();
            try (InputStream in = url.openStream()) {
                properties.load(in);
            }
            properties.forEach((name, group) -> {
                Matcher incoming = GROUP.matcher(name.toString());
                if (incoming.matches()) {
                    channels.computeIfAbsent(group.toString(), g -> new TreeSet<>())
                            .add(incoming.group(1));
                }
            });
        }
        assertThat(channels).hasSize(5);
        return channels.entrySet().stream().map(entry -> new Object[] {entry.getKey(), entry.getValue()});
    }

    private static boolean matches(String pattern, String key) {
        return key.matches(
                Stream.of(pattern.split("\\*", -1)).map(Pattern::quote).collect(Collectors.joining(".*")));
    }

    private static Set<String> texts(JsonNode list) {
        Set<String> texts = new TreeSet<>();
        list.forEach(item -> texts.add(item.asText()));
        return texts;
    }

    private static Set<String> names(Iterator<String> names) {
        Set<String> all = new TreeSet<>();
        names.forEachRemaining(all::add);
        return all;
    }

    private static JsonNode read() {
        try {
            return new YAMLMapper().readTree(Files.readString(TABLE));
        } catch (IOException e) {
            throw new ExceptionInInitializerError(e);
        }
    }
}
