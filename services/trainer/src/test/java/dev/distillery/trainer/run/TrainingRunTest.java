package dev.distillery.trainer.run;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.Keys;
import dev.distillery.artifacts.LeaseLostException;
import dev.distillery.artifacts.LocalCopies;
import dev.distillery.artifacts.StoreConfig;
import dev.distillery.embedded.EmbeddedS3;
import dev.distillery.events.TrainRequest;
import dev.distillery.trainer.MadeLatents;
import dev.distillery.trainer.run.TrainingRun.Outcome;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class TrainingRunTest {

    private static final Path TEACHER = Path.of("../../deploy/examples/mini-sdxl");
    private static final int STEPS = 6;

    @TempDir
    Path dir;

    private EmbeddedS3 s3;
    private ArtifactStore store;
    private Path latents;

    @BeforeEach
    void start() {
        s3 = EmbeddedS3.start(dir.resolve("s3"), 0);
        store = new ArtifactStore(new StoreConfig(
                s3.endpoint(), "us-east-1", "distillery", EmbeddedS3.ACCESS_KEY, EmbeddedS3.SECRET_KEY));
        store.ensureBucket();
        latents = MadeLatents.write(dir.resolve("latents"), 2, 5);
    }

    @AfterEach
    void stop() {
        s3.close();
    }

    @Test
    void shouldEndWithTheSameStudentBitByBitWhenKilledAndResumed() throws Exception {
        // Given a run that was never interrupted
        train("whole", Recorder.NEVER);

        // When another is cut off after step 3 without a chance to say anything, and taken up by a new object
        assertThatThrownBy(() -> train("cut", 3)).isInstanceOf(LeaseLostException.class);
        Outcome outcome = train("cut", Recorder.NEVER);

        // Then
        assertThat(outcome).isInstanceOf(Outcome.Completed.class);
        assertThat(student("cut")).isEqualTo(student("whole"));
        assertThat(steps("cut")).isEqualTo(steps("whole")).contains(0L, 1L, 6L);
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
    void shouldStopWithTheStepNamedWhenALossIsNotFinite() {
        // Given a learning rate that no network survives
        TrainRequest request = request("diverges", 1e30);

        // When
        assertThatThrownBy(() -> train(request, new Recorder(Recorder.NEVER)))
                // Then
                .isInstanceOf(NonFiniteLossException.class)
                .hasMessageContaining("The loss of step 2 is");
    }

    private Outcome train(String run, int loseLeaseAfter) {
        return train(run, new Recorder(loseLeaseAfter));
    }

    private Outcome train(String run, Recorder recorder) {
        return train(request(run, 1e-4), recorder);
    }

    private Outcome train(TrainRequest request, Recorder recorder) {
        Path work = dir.resolve("work-" + System.nanoTime());
        LocalCopies copies = new LocalCopies(store, work.resolve("copies"));
        try (TrainingRun run = new TrainingRun(request, latents, TEACHER, work, store, copies, recorder, recorder)) {
            return run.train();
        }
    }

    private static TrainRequest request(String run, double learningRate) {
        String json =
                """
                {"run": "%s", "teacher": {"model": "file:///teacher"}, "dataset": {"source": "file:///data"},
                 "student": {"layout": "small"},
                 "train": {"steps": %d, "batch": 4, "accumulate": 1, "precision": "fp32", "clip": 1.0, "seed": 3,
                   "optimizer": {"type": "adamw", "learningRate": %s, "weightDecay": 0.01},
                   "schedule": {"type": "constant", "warmup": 0},
                   "loss": {"task": 1, "output": 1, "feature": 1},
                   "checkpoint": {"everySteps": 2, "keep": 2}},
                 "samples": {"prompts": []}, "convert": {"save": ["unet"], "dtype": "fp16"}}
                """
                        .formatted(run, STEPS, learningRate);
        return TrainRequest.parse(json.getBytes(StandardCharsets.UTF_8));
    }

    private byte[] student(String run) {
        return store.read(Keys.checkpoint(run, STEPS) + "unet/diffusion_pytorch_model.safetensors");
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
        private final int loseLeaseAfter;
        private int shutdownAfter = NEVER;

        Recorder(int loseLeaseAfter) {
            this.loseLeaseAfter = loseLeaseAfter;
        }

        @Override
        public void stepped(Progress progress) {
            steps.add(progress.step());
        }

        @Override
        public void checkpointStored(long step, int epoch, boolean last, double uploadSeconds) {}

        @Override
        public void samplesRendered(int epoch, long step, List<String> keys) {}

        @Override
        public Optional<Stop> stop() {
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
