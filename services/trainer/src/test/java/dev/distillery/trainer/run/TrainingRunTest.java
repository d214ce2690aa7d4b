package dev.distillery.trainer.run;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.LongConsumer;
import java.util.stream.Stream;

import ai.djl.Device;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.artifacts.ArtifactCorruptException;
import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.HeldOutPairs;
import dev.distillery.artifacts.Keys;
import dev.distillery.artifacts.LeaseLostException;
import dev.distillery.artifacts.LocalCopies;
import dev.distillery.artifacts.ObjectInfo;
import dev.distillery.diffusion.image.RgbImage;
import dev.distillery.diffusion.lora.SavedLora;
import dev.distillery.embedded.EmbeddedS3;
import dev.distillery.events.TrainRequest;
import dev.distillery.planning.MemoryCheck.DeviceMemory;
import dev.distillery.testing.Infrastructure;
import dev.distillery.trainer.MadeLatents;
import dev.distillery.trainer.run.TrainingRun.Outcome;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class TrainingRunTest {

    private static final Path TEACHER = Path.of("../../deploy/examples/mini-sdxl");
    private static final int STEPS = 6;

    @TempDir
    Path dir;

    private EmbeddedS3 s3;
    private ArtifactStore store;
    private List<Device> devices = List.of(Device.cpu());
    private DeviceMemory memory = DeviceMemory.of(Device.cpu());
    private int validation;

    @BeforeEach
    void start() {
        s3 = EmbeddedS3.start(dir.resolve("s3"), 0);
        store = Infrastructure.store(s3.endpoint(), "distillery");
        store.ensureBucket();
        MadeLatents.write(dir.resolve("latents"), 2, 5);
    }

    @AfterEach
    void stop() {
        s3.close();
    }

    static Stream<Map<String, Object>> kindsOfTraining() {
        return Stream.of(
                Map.of(),
                Map.of("precision", "bf16", "optimizer.type", "adafactor"),
                Map.of("ema.decay", 0.9, "noise.pyramid", 0.9, "captionDropout", 0.3, "loss.featurePoints", "layer"),
                Map.of("batch", 1, "accumulate", 4, "loss.snrGamma", 5.0, "gradientCheckpointing", false),
                Map.of("/objective", "finetune", "/student/layout", "teacher"),
                Map.of(
                        "/objective",
                        "finetune",
                        "/student/layout",
                        "teacher",
                        "/lora/rank",
                        2,
                        "/lora/alpha",
                        3,
                        "ema.decay",
                        0.9,
                        "precision",
                        "bf16"),
                dreambooth("class prompt", 3),
                trainingTextEncoders());
    }

    private static Map<String, Object> trainingTextEncoders() {
        Map<String, Object> settings = new TreeMap<>(dreambooth("class prompt", 3));
        settings.putAll(Map.of(
                "/student/layout",
                "teacher",
                "/lora/rank",
                2,
                "/lora/textEncoderLearningRate",
                5e-5,
                "/samples/prompts",
                List.of("sks flask"),
                "/samples/size",
                64,
                "ema.decay",
                0.9));
        return settings;
    }

    private static Map<String, Object> dreambooth(String classPrompt, int classImages) {
        return Map.of(
                "/objective",
                "dreambooth",
                "/subject/images",
                "file:///flask",
                "/subject/prompt",
                "sks flask",
                "/subject/classPrompt",
                classPrompt,
                "/subject/classImages",
                classImages,
                "/samples/steps",
                2,
                "captionDropout",
                0.3);
    }

    @Test
    void shouldDrawTheClassOncePictureByPictureForAllRunsThatAskForIt() {
        // Given a run that is stopped while it draws
        Recorder first = new Recorder(Recorder.NEVER);
        first.whenAsked = () -> first.shutdownAfter = first.classPictures.size() < 2 ? Recorder.NEVER : 0;
        Outcome stopped = train(request("first", dreambooth("food bottle", 2)), first);
        assertThat(stopped).isInstanceOf(Outcome.Stopped.class);
        assertThat(first.classPictures).containsExactly("0/2", "1/2");

        // When
        Recorder again = new Recorder(Recorder.NEVER);
        train(request("first", dreambooth("food bottle", 2)), again);
        List<ObjectInfo> before = store.list("classes/");
        Recorder more = new Recorder(Recorder.NEVER);
        train(request("more", dreambooth("food bottle", 3)), more);
        Recorder other = new Recorder(Recorder.NEVER);
        train(request("other", dreambooth("red apple", 1)), other);

        // Then
        assertThat(again.classPictures).containsExactly("1/2", "2/2");
        assertThat(before).hasSize(2);
        assertThat(more.classPictures).containsExactly("2/3", "3/3");
        assertThat(other.classPictures).containsExactly("0/1", "1/1");
        assertThat(store.list("classes/")).hasSize(4).containsAll(before);
    }

    @Test
    void shouldNameTheClassPictureThatIsNoMoreWhatWasDrawn() {
        // Given
        train(request("first", dreambooth("food bowl", 1)), new Recorder(Recorder.NEVER));
        String key = store.list("classes/").get(0).key();
        store.put(key, RgbImage.fromChw(new float[3 * 32 * 48], 48, 32).png());
        // Then
        assertThatThrownBy(() -> train(request("second", dreambooth("food bowl", 1)), new Recorder(Recorder.NEVER)))
                .isInstanceOf(ArtifactCorruptException.class)
                .hasMessage(key + ": it is 48 x 32 pixels, not 64; delete it, and it is drawn again");
    }

    @Test
    void shouldDrawWithTheTextEncodersThatLearn() {
        // Given rates so high that the prompts come to mean something else
        Map<String, Object> settings = new TreeMap<>(trainingTextEncoders());
        settings.put("/samples/everyEpochs", 1);
        settings.put("optimizer.learningRate", 1e-12);
        settings.put("/lora/textEncoderLearningRate", 0.1);
        // When
        train(request("words", settings), new Recorder(Recorder.NEVER));
        // Then
        List<ObjectInfo> drawn = store.list(Keys.samples("words"));
        assertThat(drawn).extracting(ObjectInfo::key).anyMatch(key -> key.contains("/teacher/"));
        assertThat(drawn.stream().map(picture -> store.read(picture.key())).map(Arrays::hashCode))
                .doesNotHaveDuplicates();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("kindsOfTraining")
    void shouldEndWithTheSameStudentBitByBitWhenKilledAndResumedTwice(Map<String, Object> settings) throws Exception {
        // Given a run that was never interrupted
        train(request("whole", settings), new Recorder(Recorder.NEVER));

        // When another is cut off after step 3 without a chance to say anything, taken up, cut off again, taken up
        TrainRequest request = request("cut", settings);
        assertThatThrownBy(() -> train(request, new Recorder(3))).isInstanceOf(LeaseLostException.class);
        assertThatThrownBy(() -> train(request, new Recorder(3))).isInstanceOf(LeaseLostException.class);
        Outcome outcome = train(request, new Recorder(Recorder.NEVER));

        // Then
        assertThat(outcome).isInstanceOf(Outcome.Completed.class);
        assertThat(student("cut")).isEqualTo(student("whole"));
        assertThat(average("cut")).isEqualTo(average("whole"));
        assertThat(average("whole").length > 0).isEqualTo(settings.containsKey("ema.decay"));
        assertThat(average("whole")).isNotEqualTo(student("whole"));
        assertThat(steps("cut")).isEqualTo(steps("whole")).contains(0L, 1L, 6L);
    }

    @Test
    void shouldTellHowFarTheAverageOfTheWeightsIsFromThemAtEachEvaluation() {
        // When
        Recorder recorder = new Recorder(Recorder.NEVER);
        train(request("averaged", Map.of("ema.decay", 0.9)), recorder);

        // Then
        assertThat(recorder.distances.get(0)).isZero();
        assertThat(recorder.distances.subList(1, recorder.distances.size()))
                .isNotEmpty()
                .allSatisfy(distance -> assertThat(distance).isBetween(1e-6, 1e-2));
    }

    @Test
    void shouldTrainOnAllButTheLastPairsWhenTheseAreHeldOut() throws Exception {
        // Given 10 pairs, of which 4 come from a source of their own
        validation = 4;
        Recorder recorder = new Recorder(Recorder.NEVER);

        // When
        train(request("held-out", Map.of("steps", 3, "batch", 3)), recorder);

        // Then 6 pairs are two steps an epoch
        assertThat(recorder.epochs).containsExactly(1, 1, 2);
        assertThat(HeldOutPairs.read(store, "held-out").positions()).containsExactly(6L, 7L, 8L, 9L);
    }

    @Test
    void shouldSayWhatWouldHelpBeforeAnythingIsLoadedWhenTheDeviceIsTooSmall() {
        // Given
        memory = new DeviceMemory(false, 400_000_000);

        // When, then
        assertThatThrownBy(() -> train("large", Recorder.NEVER))
                .isInstanceOfSatisfying(DeviceMemoryException.class, e -> assertThat(e.advice())
                        .contains("at most the 0.40 GB", "train.optimizer.type: adafactor"))
                .hasMessageContaining("memory: the run would need 0.5")
                .hasMessageContaining("teacher 0.04 GB");
    }

    @Test
    void shouldTrainAsOneDeviceDoesWhenTheBatchIsSplitOverTwo() throws Exception {
        // Given batches of 4 of 9 pairs: the last of an epoch is one pair, and one device has nothing to do
        train("one", Recorder.NEVER);

        // When, also resumed half-way
        devices = List.of(Device.cpu(), Device.cpu());
        assertThatThrownBy(() -> train("two", 3)).isInstanceOf(LeaseLostException.class);
        train("two", Recorder.NEVER);

        // Then the weights are equal but for the order in which gradients are added
        float[] one = floats(student("one"));
        float[] two = floats(student("two"));
        assertThat(two).hasSameSizeAs(one);
        double difference = 0;
        double all = 0;
        for (int i = 0; i < one.length; i++) {
            difference += Math.pow(one[i] - two[i], 2);
            all += Math.pow(one[i], 2);
        }
        assertThat(Math.sqrt(difference / all)).isLessThan(1e-6);
    }

    @Test
    void shouldCountTheTimeThatIsNotSpentOnStepsOverAllProcesses() throws Exception {
        // Given
        Recorder recorder = new Recorder(Recorder.NEVER);
        recorder.shutdownAfter = 3;
        train("counted", recorder);
        double before = overhead(Keys.checkpoint("counted", 3));

        // When
        long started = System.nanoTime();
        var completed = (Outcome.Completed) train("counted", Recorder.NEVER);
        double wall = (System.nanoTime() - started) / 1e9;

        // Then
        assertThat(before).isPositive();
        assertThat(completed.overheadSeconds()).isGreaterThan(before).isLessThan(before + wall);
    }

    @Test
    void shouldTellHowMuchFasterTheStudentIsWhenTheRunHasEnded() {
        // When
        var completed = (Outcome.Completed) train("timed", Recorder.NEVER);

        // Then
        Latencies latency = completed.latency();
        assertThat(latency.studentSeconds()).isPositive().isLessThan(latency.teacherSeconds());
        assertThat(latency.precision()).isEqualTo("fp32");
        assertThat(latency.machine()).contains("CPU");
    }

    private double overhead(String checkpoint) throws IOException {
        return new ObjectMapper()
                .readTree(store.read(checkpoint + "state.json"))
                .path("overheadSeconds")
                .asDouble();
    }

    @Test
    void shouldKeepTheNewestCheckpointsOnlyWhenMoreWereTaken() throws Exception {
        // When
        train("kept", Recorder.NEVER);

        // Then
        assertThat(store.list(Keys.checkpoints("kept")).stream()
                        .map(object -> object.key().split("/")[3])
                        .distinct())
                .containsExactlyInAnyOrder("step-00000004", "step-00000006");
    }

    @Test
    void shouldTakeTheCheckpointBeforeWhenTheNewestIsDamaged() throws Exception {
        // Given
        assertThatThrownBy(() -> train("damaged", 5)).isInstanceOf(LeaseLostException.class);
        store.put(Keys.checkpoint("damaged", 4) + "optimizer.safetensors", new byte[] {1});

        // When
        Recorder recorder = new Recorder(Recorder.NEVER);
        train("damaged", recorder);

        // Then
        assertThat(recorder.steps).containsExactly(3L, 4L, 5L, 6L);
    }

    @Test
    void shouldTakeACheckpointWhenTheProcessIsToEnd() throws Exception {
        // Given
        Recorder recorder = new Recorder(Recorder.NEVER);
        recorder.shutdownAfter = 1;

        // When
        Outcome outcome = train("ended", recorder);

        // Then
        assertThat(outcome).isEqualTo(new Outcome.Stopped(RunControls.Stop.SHUTDOWN, 1));
        assertThat(store.stat(Keys.manifest(Keys.checkpoint("ended", 1)))).isPresent();
    }

    @Test
    void shouldGoOnWithoutALossWhenItsDiskWasGoneForAWhile() throws Exception {
        // Given
        train("whole", Recorder.NEVER);
        Path work = dir.resolve("work");
        Path aside = dir.resolve("aside");
        Recorder recorder = new Recorder(Recorder.NEVER);

        // When the folder is not there when the second step is to be logged as evaluated, and is once somebody was
        // asked
        recorder.afterStep = step -> {
            if (step == 2) {
                move(work, aside);
                write(work, "not a folder");
                recorder.whenAsked = () -> {
                    delete(work);
                    move(aside, work);
                    recorder.whenAsked = () -> {};
                };
            }
        };
        train(request("gone", Map.of()), recorder, work);

        // Then
        assertThat(student("gone")).isEqualTo(student("whole"));
        assertThat(steps("gone")).isEqualTo(steps("whole"));
    }

    @Test
    void shouldSkipThenStopAndKeepTheLastGoodCheckpointWhenNothingIsFiniteAnyMore() {
        // Given a learning rate that no network survives, from the third step on
        TrainRequest request = request(
                "diverges",
                Map.of("steps", 100, "optimizer.learningRate", 1e30, "schedule.warmup", 1, "checkpoint.everySteps", 1));
        Recorder recorder = new Recorder(Recorder.NEVER);

        // When
        assertThatThrownBy(() -> train(request, recorder))
                // Then
                .isInstanceOf(NumericsException.class)
                .hasMessageContaining("in 10 steps in a row, up to step 12;")
                .hasMessageContaining("it began in the student's down_blocks.0");
        assertThat(recorder.skipped).isEqualTo(10);
        assertThat(recorder.steps).containsExactly(1L, 2L);
        assertThat(store.stat(Keys.manifest(Keys.checkpoint("diverges", 1)))).isPresent();
        assertThat(store.stat(Keys.manifest(Keys.checkpoint("diverges", 2)))).isEmpty();
        String metrics = new String(store.read(Keys.metrics("diverges")), StandardCharsets.UTF_8);
        assertThat(metrics)
                .contains("{\"step\":3,\"epoch\":1,\"skipped\":\"the student's down_blocks.0\"}")
                .doesNotContain("NaN");
    }

    private Outcome train(String run, int loseLeaseAfter) {
        return train(run, new Recorder(loseLeaseAfter));
    }

    private Outcome train(String run, Recorder recorder) {
        return train(request(run, Map.of()), recorder);
    }

    private Outcome train(TrainRequest request, Recorder recorder) {
        return train(request, recorder, dir.resolve("work-" + System.nanoTime()));
    }

    private Outcome train(TrainRequest request, Recorder recorder, Path work) {
        LocalCopies copies = new LocalCopies(store, dir.resolve("copies-" + System.nanoTime()));
        try (TrainingRun run = new TrainingRun(
                request,
                MadeLatents.open(dir.resolve("latents"), 2, 5, validation),
                "mini-sdxl",
                TEACHER,
                machine(),
                work,
                store,
                copies,
                recorder,
                recorder)) {
            return run.train();
        }
    }

    private Machine machine() {
        return new Machine(devices, memory, Duration.ofMinutes(1));
    }

    /** @param settings below {@code train}, by path; the others have values that suit a test */
    private static TrainRequest request(String run, Map<String, Object> settings) {
        ObjectNode json = (ObjectNode) read(
                """
                {"run": "%s", "teacher": {"model": "file:///teacher"}, "dataset": {"source": "file:///data"}, "encode": {"resolution": 64},
                 "student": {}, "lora": {}, "subject": {}, "samples": {},
                 "train": {"epochs": null, "steps": %d, "batch": 4, "precision": "fp32", "seed": 3,
                   "optimizer": {"type": "adamw", "learningRate": 1e-4}, "schedule": {}, "loss": {}, "noise": {}, "ema": {},
                   "checkpoint": {"everySteps": 2, "keep": 2}}}
                """
                        .formatted(run, STEPS));
        settings.forEach((path, value) -> {
            String pointer = path.startsWith("/") ? path : "/train/" + path.replace('.', '/');
            int slash = pointer.lastIndexOf('/');
            ((ObjectNode) json.at(pointer.substring(0, slash))).putPOJO(pointer.substring(slash + 1), value);
        });
        if (json.path("objective").asText().equals("dreambooth")) {
            ((ObjectNode) json.path("dataset")).remove("source");
        }
        return TrainRequest.parse(json.toString());
    }

    private static JsonNode read(String json) {
        try {
            return new ObjectMapper().readTree(json);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void move(Path from, Path to) {
        try {
            Files.move(from, to);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void write(Path file, String text) {
        try {
            Files.writeString(file, text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void delete(Path file) {
        try {
            Files.delete(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** All values of a safetensors file in float32. */
    private static float[] floats(byte[] file) {
        ByteBuffer bytes = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
        bytes.position(Math.toIntExact(Long.BYTES + bytes.getLong(0)));
        float[] values = new float[bytes.remaining() / Float.BYTES];
        bytes.asFloatBuffer().get(values);
        return values;
    }

    private byte[] student(String run) {
        return weights(run, "unet/");
    }

    /** Empty when there is none. */
    private byte[] average(String run) {
        return weights(run, "ema/");
    }

    private byte[] weights(String run, String folder) {
        return Stream.of("diffusion_pytorch_model.safetensors", SavedLora.FILE)
                .map(file -> Keys.checkpoint(run, STEPS) + folder + file)
                .filter(key -> store.stat(key).isPresent())
                .map(store::read)
                .findFirst()
                .orElse(new byte[0]);
    }

    private List<Long> steps(String run) throws IOException {
        return new String(store.read(Keys.metrics(run)), StandardCharsets.UTF_8)
                .lines()
                .map(line -> Long.valueOf(line.replaceAll("\\{\"step\":(\\d+),.*", "$1")))
                .toList();
    }

    /** Notes what happens and loses the lease after a step. */
    private static final class Recorder implements TrainingObserver, RunControls {
        static final int NEVER = Integer.MAX_VALUE;

        final List<Long> steps = new ArrayList<>();
        final List<String> classPictures = new ArrayList<>();
        final List<Integer> epochs = new ArrayList<>();
        final List<Double> distances = new ArrayList<>();
        int skipped;
        LongConsumer afterStep = step -> {};
        Runnable whenAsked = () -> {};
        private final int loseLeaseAfter;
        private int shutdownAfter = NEVER;

        Recorder(int loseLeaseAfter) {
            this.loseLeaseAfter = loseLeaseAfter;
        }

        @Override
        public void classPicture(int done, int all) {
            classPictures.add(done + "/" + all);
        }

        @Override
        public void stepped(Progress progress) {
            steps.add(progress.step());
            epochs.add(progress.epoch());
            afterStep.accept(progress.step());
        }

        @Override
        public void skipped(long step) {
            skipped++;
        }

        @Override
        public void averaged(double distance) {
            distances.add(distance);
        }

        @Override
        public void checkpointStored(long step, int epoch, boolean last, double uploadSeconds) {}

        @Override
        public void checkpointFailed(double seconds) {
            throw new AssertionError("No upload fails here");
        }

        @Override
        public void samplesRendered(int epoch, long step, List<String> keys) {}

        @Override
        public Optional<Stop> stop() {
            whenAsked.run();
            return steps.size() >= shutdownAfter ? Optional.of(Stop.SHUTDOWN) : Optional.empty();
        }

        @Override
        public void ensureOurs() {
            if (steps.size() >= loseLeaseAfter) {
                throw new LeaseLostException("taken over, for the test");
            }
        }
    }
}
