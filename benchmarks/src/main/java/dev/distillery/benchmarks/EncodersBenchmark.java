package dev.distillery.benchmarks;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Stream;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.Keys;
import dev.distillery.artifacts.PrefixWriter;
import dev.distillery.artifacts.StoreConfig;
import dev.distillery.dataingest.shard.DatasetIngest;
import dev.distillery.dataingest.shard.IngestedDataset;
import dev.distillery.dataingest.source.Captions;
import dev.distillery.dataingest.source.LocalTree;
import dev.distillery.dataingest.source.PairSources;
import dev.distillery.embedded.Embedded;
import dev.distillery.embedded.EmbeddedS3;
import dev.distillery.events.EventCodec;
import dev.distillery.events.ShardIngested;
import dev.distillery.events.Topic;
import dev.distillery.events.TrainRequest;
import dev.distillery.events.messaging.ShardPartitioner;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The time from the announcement of a data set's shards until it is encoded, by one service and by several. */
@Command(
        name = "encoders",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description =
                "Encodes the shards of a data set by one and by two services of one thread each, on an embedded broker"
                        + " and store, and shows how work divides.")
final class EncodersBenchmark implements Callable<Integer> {
    private static final String RUN = "encoders";
    private static final String DATASET = "da7a";
    private static final String MODEL = "f00d";

    @Option(names = "--encoders", split = ",", defaultValue = "1,2", description = "Default ${DEFAULT-VALUE}.")
    private List<Integer> encoders;

    @Option(names = "--partitions", defaultValue = "24", description = "Of the topic, default ${DEFAULT-VALUE}.")
    private int partitions;

    @Option(names = "--rounds", defaultValue = "2", description = "Default ${DEFAULT-VALUE}.")
    private int rounds;

    @Option(names = "--resolution", defaultValue = "64", description = "Default ${DEFAULT-VALUE}.")
    private int resolution;

    @Option(names = "--data", defaultValue = "deploy/examples/noto-emoji", description = "Default ${DEFAULT-VALUE}.")
    private Path data;

    @Option(names = "--teacher", defaultValue = "deploy/examples/mini-sdxl", description = "Default ${DEFAULT-VALUE}.")
    private Path teacher;

    @Option(
            names = "--service",
            defaultValue = "services/latent-encoding/target/quarkus-app/quarkus-run.jar",
            description = "Default ${DEFAULT-VALUE}.")
    private Path service;

    @Override
    public Integer call() throws Exception {
        System.out.println("| encoders | s | shards of each |");
        System.out.println("|---|---|---|");
        for (int round = 0; round < rounds; round++) {
            for (int count : encoders) {
                System.out.println(measure(count));
            }
        }
        return 0;
    }

    private String measure(int count) throws Exception {
        Path logs = Files.createTempDirectory("distillery-benchmark");
        try (Embedded embedded = Embedded.startTemporary()) {
            var store = new ArtifactStore(new StoreConfig(
                    embedded.s3().endpoint(), "us-east-1", "distillery", EmbeddedS3.ACCESS_KEY, EmbeddedS3.SECRET_KEY));
            store.ensureBucket();
            embedded.kafka()
                    .createTopics(
                            Stream.of(Topic.values())
                                    .map(topic -> topic.topic(Topic.DEFAULT_PREFIX))
                                    .toList(),
                            partitions);
            IngestedDataset dataset = fill(store);
            try (var processes = new EncoderProcesses(count, service, logs, embedded)) {
                long started = System.nanoTime();
                announce(embedded.kafka().bootstrapServers(), dataset);
                awaitEncoded(embedded.kafka().bootstrapServers());
                double seconds = (System.nanoTime() - started) / 1e9;
                return String.format(Locale.ROOT, "| %d | %.1f | %s |", count, seconds, divided(store));
            }
        } finally {
            Sides.delete(logs);
        }
    }

    /** As data-ingest leaves teacher, data set and request. */
    private IngestedDataset fill(ArtifactStore store) throws Exception {
        var model = new PrefixWriter(store, Keys.model(MODEL));
        try (Stream<Path> files = Files.walk(teacher)) {
            files.filter(Files::isRegularFile)
                    .sorted()
                    .forEach(file -> model.add(teacher.relativize(file).toString(), file));
        }
        model.complete("model", Map.of());
        String request =
                "{\"run\": \"%s\", \"teacher\": {\"model\": \"file:///t\"}, \"dataset\": {\"source\": \"file:///d\"},"
                        + " \"encode\": {\"resolution\": %d}}";
        store.put(
                Keys.request(RUN),
                TrainRequest.parse(request.formatted(RUN, resolution)).canonicalJson());
        var pairs = PairSources.open(new LocalTree(data), "image", Captions.of("text"));
        var part = new DatasetIngest.Part(pairs, TrainRequest.Filter.NONE, Long.MAX_VALUE, false);
        return new DatasetIngest(store).run(DATASET, List.of(part), data.toString(), (done, total) -> {});
    }

    private static void announce(String servers, IngestedDataset dataset) throws Exception {
        try (var producer = new KafkaProducer<>(
                Map.<String, Object>of(
                        "bootstrap.servers", servers, "partitioner.class", ShardPartitioner.class.getName()),
                new StringSerializer(),
                new ByteArraySerializer())) {
            List<Integer> pairs = dataset.shardPairs();
            for (int i = 0; i < pairs.size(); i++) {
                var shard = new ShardIngested(RUN, DATASET, MODEL, i, pairs.size(), pairs.get(i));
                producer.send(new ProducerRecord<>(
                        Topic.SHARDS_INGESTED.topic(Topic.DEFAULT_PREFIX),
                        RUN + "/" + i,
                        new ObjectMapper().writeValueAsBytes(shard)));
            }
            producer.flush();
        }
    }

    private static void awaitEncoded(String servers) {
        try (var consumer = new KafkaConsumer<>(
                Map.<String, Object>of(
                        "bootstrap.servers", servers, "group.id", "benchmark", "auto.offset.reset", "earliest"),
                new StringDeserializer(),
                new ByteArrayDeserializer())) {
            String events = Topic.RUN_EVENTS.topic(Topic.DEFAULT_PREFIX);
            consumer.subscribe(List.of(events, Topic.DATASETS_ENCODED.topic(Topic.DEFAULT_PREFIX)));
            while (true) {
                for (var record : consumer.poll(Duration.ofMillis(100))) {
                    if (!record.topic().equals(events)) {
                        return;
                    }
                    if (EventCodec.type(record).contains("run-failed")) {
                        throw new IllegalStateException(new String(record.value()));
                    }
                }
            }
        }
    }

    /** From the stage's note, which is written after the data set is announced. */
    private static String divided(ArtifactStore store) throws Exception {
        String key = Keys.stage(RUN, "encode");
        while (store.stat(key).isEmpty()) {
            // it is about to be written
        }
        JsonNode by = new ObjectMapper().readTree(store.read(key)).at("/detail/shardsBy");
        var shards = new ArrayList<String>();
        by.forEach(count -> shards.add(count.asText()));
        return String.join(" + ", shards);
    }
}
