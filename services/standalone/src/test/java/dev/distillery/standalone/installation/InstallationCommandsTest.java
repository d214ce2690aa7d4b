package dev.distillery.standalone.installation;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;

import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.Keys;
import dev.distillery.artifacts.Lease;
import dev.distillery.artifacts.PrefixWriter;
import dev.distillery.artifacts.StoreConfig;
import dev.distillery.embedded.Embedded;
import dev.distillery.embedded.EmbeddedS3;
import dev.distillery.events.EvaluateRequest;
import dev.distillery.events.EventCodec;
import dev.distillery.events.RunAccepted;
import dev.distillery.events.RunCancelled;
import dev.distillery.events.RunCompleted;
import dev.distillery.events.RunControl;
import dev.distillery.events.RunFailed;
import dev.distillery.events.RunRejected;
import dev.distillery.events.StageProgress;
import dev.distillery.events.Topic;
import dev.distillery.events.TrainRequest;
import dev.distillery.events.TrainingProgress;
import dev.distillery.events.Violation;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;

/** The commands against a real broker and a real store that hold what services leave there. */
@Timeout(120)
class InstallationCommandsTest {
    private static final String REQUEST =
            """
            run: %s
            teacher: {model: hf://owner/teacher}
            dataset: {source: ./pictures}
            """;

    private static Embedded embedded;
    private static Topics topics;
    private static ArtifactStore store;

    @TempDir
    Path dir;

    private final Cli cli = Cli.of(embedded);

    @BeforeAll
    static void start() {
        embedded = Embedded.startTemporary();
        topics = Topics.make(embedded.kafka());
        store = new ArtifactStore(new StoreConfig(
                embedded.s3().endpoint(), "us-east-1", "distillery", EmbeddedS3.ACCESS_KEY, EmbeddedS3.SECRET_KEY));
        store.ensureBucket();
    }

    @AfterAll
    static void stop() {
        embedded.close();
    }

    @Test
    void shouldPublishTheRequestAsTheServicesReadIt() throws IOException {
        // Given
        Path file = request("submitted");

        // When
        int code = cli.run("submit", "-f", file.toString(), "-o", "json");

        // Then
        assertThat(code).as(cli.err()).isZero();
        assertThat(cli.json().path("topic").asText()).isEqualTo("distillery.train-requests");
        ConsumerRecord<String, byte[]> record = last(Topic.TRAIN_REQUESTS, "submitted");
        assertThat(EventCodec.type(record)).isEqualTo("dev.distillery.train-request.v1");
        TrainRequest request = EventCodec.read(record, TrainRequest.class);
        assertThat(request.run()).isEqualTo("submitted");
        assertThat(request.dataset().source())
                .isEqualTo("file://" + dir.resolve("pictures").toAbsolutePath());
        assertThat(record.offset()).isEqualTo(cli.json().path("offset").asLong());
    }

    @Test
    void shouldAskForScoresOfARun() throws IOException {
        // Given
        put(Keys.request("scored"), "{}");
        Path file = Files.writeString(
                dir.resolve("scores.yaml"), "run: scored\nname: few\nevaluate: {images: 32, steps: 10}\n");

        // When
        int code = cli.run("score", "-f", file.toString());

        // Then
        assertThat(code).as(cli.err()).isZero();
        assertThat(cli.out())
                .contains("evaluation 'few' of run 'scored'")
                .contains("s3://distillery/runs/scored/evaluation/few.json");
        EvaluateRequest request = EventCodec.read(last(Topic.EVALUATE_REQUESTS, "scored"), EvaluateRequest.class);
        assertThat(request.name()).isEqualTo("few");
        assertThat(request.evaluate().images()).isEqualTo(32);
        assertThat(request.evaluate().guidance()).isEqualTo(7.5);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "run: unknown, evaluate: {images: 16}|There is no run 'unknown' in the store",
                "run: scored, evaluate: {image: 32}|did you mean 'images'?",
                "run: scored, evaluate: {scores: [fid]}|evaluate.inception: must be given for the score fid",
                "run: ../up|run: must be"
            })
    void shouldSendNoRequestForScoresThatCannotBe(String request, String said) throws IOException {
        // Given
        put(Keys.request("scored"), "{}");
        Path file = Files.writeString(dir.resolve("scores.yaml"), "{" + request + "}");
        int before = topics.all(Topic.EVALUATE_REQUESTS).size();

        // When
        int code = cli.run("score", "-f", file.toString());

        // Then
        assertThat(code).isEqualTo(2);
        assertThat(cli.err()).contains(said).doesNotContain("\tat ");
        assertThat(topics.all(Topic.EVALUATE_REQUESTS)).hasSize(before);
    }

    @Test
    void shouldSendNothingWhenAFieldIsWrong() throws IOException {
        // Given
        Path file = Files.writeString(
                dir.resolve("wrong.yaml"), REQUEST.formatted("wrong") + "train: {batch: 0}\n", StandardCharsets.UTF_8);

        // When
        int code = cli.run("submit", "-f", file.toString());

        // Then
        assertThat(code).isEqualTo(2);
        assertThat(cli.err()).contains("wrong.yaml", "train.batch");
        assertThat(topics.all(Topic.TRAIN_REQUESTS)).noneMatch(record -> "wrong".equals(record.key()));
    }

    @ParameterizedTest
    @CsvSource({"cancel,", "pause,", "resume,", "extend,--epochs 60", "extend,--steps 900"})
    void shouldAskForWhatIsToBeDoneAboutARun(String action, String option) {
        // Given
        put(Keys.request("controlled"), "{}");
        String length = option == null ? "" : " " + option;

        // When
        int code = cli.run((action + " controlled" + length).split(" "));

        // Then
        assertThat(code).as(cli.err()).isZero();
        assertThat(cli.out()).contains("Sent: " + action + " of run 'controlled'");
        assertThat(EventCodec.read(last(Topic.RUN_CONTROL, "controlled"), RunControl.class))
                .isEqualTo(new RunControl(
                        "controlled",
                        action,
                        length.contains("epochs") ? Integer.valueOf(60) : null,
                        length.contains("steps") ? Integer.valueOf(900) : null));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "cancel no-such-run|There is no run 'no-such-run'",
                "cancel ../up|NAME must be a run's name",
                "runs no-such-run|There is no run 'no-such-run'",
                "run no-such-run|There is no run 'no-such-run'",
                "extend any|--epochs",
                "extend any --epochs 1 --steps 2|mutually exclusive",
                "runs --kafka here|--kafka must be HOST:PORT",
                "runs --store ftp://here|--store must be http",
                "runs --profile absent|there is no file",
                "runs --kafka-properties /none|--kafka-properties: there is no file /none",
                "runs -o xml|--output must be table or json or yaml but is xml"
            })
    void shouldSayWhatIsWrongAndSendNothingWhenAnArgumentIsWrong(String arguments, String said) {
        // Given
        int before = topics.all(Topic.RUN_CONTROL).size();

        // When
        int code = cli.run(arguments.split(" "));

        // Then
        assertThat(code).isEqualTo(2);
        assertThat(cli.err()).contains(said).doesNotContain("\tat ");
        assertThat(topics.all(Topic.RUN_CONTROL)).hasSize(before);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "follow any --kafka localhost:PORT|Kafka at localhost:PORT (--kafka) does not answer within 10 s",
                "cancel any --kafka localhost:PORT|Kafka at localhost:PORT (--kafka) does not answer within 10 s",
                "follow any --topics-prefix other.|Kafka has no topic 'other.run-events'",
                "runs --store http://127.0.0.1:PORT|The store http://127.0.0.1:PORT (--store) does not answer",
                "runs --bucket other-bucket|has no bucket 'other-bucket' (--bucket)"
            })
    void shouldEndWithOneLineWithinSecondsWhenBrokerOrStoreIsNotThere(String arguments, String said)
            throws IOException {
        // Given
        String port = Integer.toString(freePort());
        put(Keys.request("any"), "{}");
        long started = System.nanoTime();

        // When
        int code = cli.run(arguments.replace("PORT", port).split(" "));

        // Then
        assertThat(code).isEqualTo(1);
        assertThat(cli.err()).contains(said.replace("PORT", port)).doesNotContain("\tat ");
        assertThat(cli.err().lines()).hasSize(1);
        assertThat(Duration.ofNanos(System.nanoTime() - started)).isLessThan(Duration.ofSeconds(30));
    }

    @Test
    void shouldNameTheVariableAndNotTheSecretWhenThePasswordIsWrong() {
        // Given
        cli.env("DISTILLERY_STORE_SECRET_KEY", "not-the-secret");

        // When
        int code = cli.run("runs");

        // Then
        assertThat(code).isEqualTo(1);
        assertThat(cli.err())
                .contains("refuses", "secret key: DISTILLERY_STORE_SECRET_KEY")
                .doesNotContain("not-the-secret");
    }

    @Test
    void shouldTakeFlagsBeforeTheEnvironmentBeforeAProfile() throws IOException {
        // Given
        Path profiles = dir.resolve("distillery/profiles.properties");
        Files.createDirectories(profiles.getParent());
        Files.writeString(
                profiles,
                """
                lab.kafka.bootstrap.servers=localhost:1
                lab.topics.prefix=of-profile.
                lab.kafka.security.protocol=PLAINTEXT
                """);
        cli.env("XDG_CONFIG_HOME", dir.toString()).env("DISTILLERY_PROFILE", "lab");

        // When
        int environmentWins = cli.run("follow", "any");
        String ofProfile = cli.err();
        int flagWins = cli.run("follow", "any", "--topics-prefix", "of-flag.");
        String ofFlag = cli.err();
        int unknown = cli.run("follow", "any", "--profile", "prod");

        // Then
        assertThat(environmentWins).isEqualTo(1);
        assertThat(ofProfile).contains("no topic 'of-profile.run-events'"); // of the broker that the environment names
        assertThat(flagWins).isEqualTo(1);
        assertThat(ofFlag).contains("no topic 'of-flag.run-events'");
        assertThat(unknown).isEqualTo(2);
        assertThat(cli.err()).contains("no profile 'prod' (--profile)", profiles.toString(), "there are lab");
    }

    @Test
    void shouldNameFileAndKeyWhenAProfilesSettingIsWrong() throws IOException {
        // Given
        Path profiles = dir.resolve("distillery/profiles.properties");
        Files.createDirectories(profiles.getParent());
        Files.writeString(profiles, "default.kafka.bootstrap.servers=nowhere\n");
        Cli plain = Cli.without(dir).env("XDG_CONFIG_HOME", dir.toString());

        // When
        int code = plain.run("follow", "any");

        // Then
        assertThat(code).isEqualTo(2);
        assertThat(plain.err()).contains(profiles + ", default.kafka.bootstrap.servers must be HOST:PORT", "'nowhere'");
    }

    @Test
    void shouldNotPrintThePasswordWhenKafkaDoesNotUnderstandIt() throws IOException {
        // Given
        Path properties = Files.writeString(
                dir.resolve("client.properties"),
                """
                security.protocol=SASL_PLAINTEXT
                sasl.mechanism=PLAIN
                sasl.jaas.config=some.Module required password=hush-hush
                """);

        // When
        int code = cli.run("follow", "any", "--kafka-properties", properties.toString());

        // Then
        assertThat(code).isEqualTo(1);
        assertThat(cli.err()).contains("Kafka at").doesNotContain("hush-hush");
        assertThat(cli.err().lines()).hasSize(1);
    }

    @Test
    void shouldTellHowEveryRunStands() {
        // Given
        put(Keys.request("ingesting"), "{}");
        topics.publish(
                Topic.RUN_EVENTS,
                new RunAccepted("ingesting"),
                new StageProgress("ingesting", "ingest", 30, 120, "pairs", 10, 9.0));
        ingested("encoding");
        encoded("queued");
        put(Keys.queue("queued"), "{}");
        training("training");
        encoded("paused");
        put(Keys.queue("paused"), "{}");
        put(Keys.paused("paused"), "{}");
        encoded("cancelled");
        put(Keys.cancelled("cancelled"), "{}");
        completed("completed");
        encoded("failed");
        topics.publish(
                Topic.RUN_EVENTS,
                progress("failed", 7),
                new RunFailed("failed", "train", "the losses are not finite", "lower it"));

        // When
        int code = cli.run("runs", "-o", "json");

        // Then
        assertThat(code).as(cli.err()).isZero();
        for (String state :
                List.of("ingesting", "encoding", "queued", "training", "paused", "cancelled", "completed", "failed")) {
            assertThat(cli.json())
                    .as(state)
                    .anyMatch(run -> run.path("run").asText().equals(state)
                            && run.path("state").asText().equals(state));
        }
        assertThat(cli.json()).anySatisfy(run -> {
            assertThat(run.path("run").asText()).isEqualTo("ingesting");
            assertThat(run.path("progressPercentage").asInt()).isEqualTo(25);
            assertThat(run.path("estimatedRemainingSeconds").asInt()).isEqualTo(9);
        });
        assertThat(cli.json()).anySatisfy(run -> {
            assertThat(run.path("run").asText()).isEqualTo("training");
            assertThat(run.path("progressPercentage").asInt()).isEqualTo(50);
            assertThat(run.path("rate").asDouble()).isEqualTo(2.4);
        });
    }

    @Test
    void shouldTellAllOfARunWithItsLossesAndWhereThingsAre() {
        // Given
        training("told");

        // When
        int code = cli.run("run", "told", "-o", "json");

        // Then
        assertThat(code).as(cli.err()).isZero();
        assertThat(cli.json().path("state").asText()).isEqualTo("training");
        assertThat(cli.json().at("/metrics/loss").asDouble()).isEqualTo(3.25);
        assertThat(cli.json().at("/metrics/step").asInt()).isEqualTo(12);
        assertThat(cli.json().at("/stages/0/detail/pairs").asInt()).isEqualTo(1900);
        assertThat(cli.json().at("/places/checkpoint").asText())
                .isEqualTo("s3://distillery/runs/told/checkpoints/step-00000010/");
        assertThat(cli.json().at("/places/metrics").asText()).isEqualTo("s3://distillery/runs/told/metrics.jsonl");
        assertThat(cli.json().at("/places").has("report")).isFalse();
    }

    @Test
    void shouldTellPeopleTheSame() {
        // Given
        training("shown");

        // When
        int code = cli.run("runs", "shown");

        // Then
        assertThat(code).as(cli.err()).isZero();
        assertThat(cli.out())
                .contains(
                        "State     training",
                        "train, 50 % (250/500 steps), 2.40 steps/s, 1:44 left",
                        "3.250 = task 0.2500")
                .contains("ingest", "encode", "s3://distillery/runs/shown/checkpoints/step-00000010/");
    }

    @Test
    void shouldSayWhyWhenARunFailedOrWasRejected() {
        // Given
        encoded("broken");
        topics.publish(Topic.RUN_EVENTS, new RunFailed("broken", "train", "out of memory", "take less"));
        topics.publish(
                Topic.RUN_EVENTS,
                new RunRejected("refused", List.of(new Violation("teacher.model", "x", "is not there"))));

        // When
        cli.run("runs", "broken");
        String failed = cli.out();
        int code = cli.run("runs", "refused");

        // Then
        assertThat(failed).contains("State     failed", "in stage 'train': out of memory", "take less");
        assertThat(code).as(cli.err()).isZero();
        assertThat(cli.out()).contains("rejected", "teacher.model: is not there");
    }

    @Test
    void shouldEndWithACompletedRunAndShowItsPast() {
        // Given
        topics.publish(
                Topic.RUN_EVENTS,
                new RunAccepted("followed"),
                progress("followed", 1),
                progress("followed", 250),
                new RunFailed("followed", "train", "of an earlier try", null),
                new RunAccepted("followed"),
                new RunCompleted("followed", "runs/followed/model/", "runs/followed/report.html"));

        // When
        int code = cli.run("follow", "followed");

        // Then
        assertThat(code).as(cli.err()).isZero();
        assertThat(cli.out())
                .contains("accept", "Report:    s3://distillery/runs/followed/report.html", "fetch followed");
    }

    @ParameterizedTest
    @ValueSource(strings = {"failed", "cancelled", "rejected"})
    void shouldEndWithTheExitCodeOfTheRunsEnd(String end) {
        // Given
        String run = "end-" + end;
        topics.publish(
                Topic.RUN_EVENTS,
                new RunAccepted(run),
                Map.of(
                                "failed", new RunFailed(run, "encode", "no teacher", "find one"),
                                "cancelled", new RunCancelled(run, "train"),
                                "rejected", new RunRejected(run, List.of(new Violation("run", run, "is taken"))))
                        .get(end));

        // When
        int code = cli.run("follow", run, "-o", "json");

        // Then
        assertThat(code).isEqualTo(end.equals("rejected") ? 2 : 1);
        assertThat(cli.err()).contains(end);
        assertThat(cli.out().lines()).hasSize(2).last().asString().contains("run-" + end);
    }

    private Path request(String run) throws IOException {
        return Files.writeString(dir.resolve("request.yaml"), REQUEST.formatted(run));
    }

    private static ConsumerRecord<String, byte[]> last(Topic topic, String key) {
        return topics.all(topic).stream()
                .filter(record -> key.equals(record.key()))
                .reduce((earlier, later) -> later)
                .orElseThrow();
    }

    private static void ingested(String run) {
        put(Keys.request(run), "{}");
        stage(run, "ingest", "{\"pairs\":1900,\"shards\":8,\"dataset\":\"abc\",\"model\":\"def\"}");
    }

    private static void encoded(String run) {
        ingested(run);
        stage(run, "encode", "{\"pairs\":1900,\"shards\":8,\"reused\":false,\"latents\":\"ghi\"}");
    }

    private static void training(String run) {
        encoded(run);
        put(Keys.queue(run), "{}");
        Lease.acquire(store, run, "trainer-1", Duration.ofMinutes(5)).orElseThrow();
        put(
                Keys.metrics(run),
                """
                {"step":11,"loss_task":0.5,"loss_output":0.1,"loss_feature":3.0,"loss":3.6}
                {"step":12,"loss_task":0.25,"loss_output":0.5,"loss_feature":2.5,"loss":3.25}
                {"step":12,"eval_output":0.2}
                """);
        var checkpoint = new PrefixWriter(store, Keys.checkpoint(run, 10));
        checkpoint.add("state.json", "{}".getBytes(StandardCharsets.UTF_8));
        checkpoint.complete("checkpoint", Map.of());
        put(Keys.checkpoint(run, 20) + "state.json", "{}"); // not complete
        topics.publish(Topic.RUN_EVENTS, progress(run, 249), progress(run, 250));
    }

    private static void completed(String run) {
        encoded(run);
        stage(run, "train", "{\"steps\":500,\"epochs\":2}");
        stage(run, "convert", "{\"dtype\":\"fp16\",\"step\":500,\"parameters\":123}");
        put(Keys.report(run), "<html></html>");
    }

    private static void stage(String run, String stage, String detail) {
        put(
                Keys.stage(run, stage),
                """
                {"stage":"%s","started":"2026-01-01T00:00:00Z","ended":"2026-01-01T00:01:00Z","seconds":60.0,"detail":%s}"""
                        .formatted(stage, detail));
    }

    private static TrainingProgress progress(String run, long step) {
        return new TrainingProgress(
                run, step, 500, 1, 2, new TrainingProgress.Losses(0.25, 0.5, 2.5, 3.25), 2.4, 104, 1_900_000_000L);
    }

    private static void put(String key, String content) {
        store.put(key, content.getBytes(StandardCharsets.UTF_8));
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }
}
