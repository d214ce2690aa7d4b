package dev.distillery.trainer.run;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.HeldOutPairs;
import dev.distillery.artifacts.Keys;
import dev.distillery.artifacts.LocalCopies;
import dev.distillery.diffusion.clip.PromptEncoder;
import dev.distillery.diffusion.distill.Distillation;
import dev.distillery.diffusion.distill.Distillation.Part;
import dev.distillery.diffusion.distill.Distillation.StepResult;
import dev.distillery.diffusion.distill.Ema;
import dev.distillery.diffusion.distill.Losses;
import dev.distillery.diffusion.schedule.NoiseSchedule;
import dev.distillery.diffusion.unet.UNetConfig;
import dev.distillery.events.TrainRequest;
import dev.distillery.planning.MemoryCheck;
import dev.distillery.planning.TrainingSettings;
import dev.distillery.trainer.data.Batches;
import dev.distillery.trainer.data.EpochOrder;
import dev.distillery.trainer.data.LatentsDataset;
import dev.distillery.trainer.data.Prior;
import dev.distillery.trainer.data.ReadAhead;
import dev.distillery.trainer.data.Split;
import dev.distillery.trainer.run.RunControls.Stop;
import dev.distillery.trainer.run.TrainingObserver.Progress;
import org.jboss.logging.Logger;

/**
 * Trains one run from where its newest complete checkpoint left it to its end. What it writes to the store is written by
 * position (checkpoint of step n, samples of epoch n), so that doing a part again changes nothing.
 *
 * <p>One thread; the store is written beside it.
 */
public final class TrainingRun implements AutoCloseable {

    /** How a run that did not fail ended. */
    public sealed interface Outcome {
        /**
         * @param seconds of all steps
         * @param overheadSeconds beside steps, evaluation and samples: on events, metrics and the store
         * @param latency of both networks on this machine
         */
        record Completed(long step, int epochs, double seconds, double overheadSeconds, Latencies latency)
                implements Outcome {}

        record Stopped(Stop why, long step) implements Outcome {}
    }

    private static final Logger LOG = Logger.getLogger(TrainingRun.class);
    private static final int MOST_SKIPPED_IN_A_ROW = 10;

    private final TrainRequest request;
    private final TrainingObserver observer;
    private final RunControls controls;
    private final ArtifactStore store;
    private final LocalDisk disk;
    private final String model;
    private final TeacherFolder folder;

    private final LatentsDataset data;
    private final EpochOrder order;
    private final Batches batches;
    private final TrainingPlan plan;
    private final LearningRate rate;
    private final Distillation distillation;
    private final int[] heldOutPairs;
    private final HeldOutEvaluation heldOut;
    private final Checkpoints checkpoints;
    private final Base base;
    private final Samples samples;
    private final Supplier<Latencies> latency;
    private final Pace pace = new Pace();

    private long done;
    private int skippedInARow;
    private double seconds;
    private double overheadBefore; // of the processes before this
    private double busy; // with steps, evaluation and samples in the loop
    private long began = System.nanoTime();
    private MetricsLog log;
    private MetricsUpload upload;
    private ReadAhead ahead;
    private Prior prior; // null: none

    /**
     * Opens the data and both networks.
     *
     * @param data of the run, closed with it
     * @param model fingerprint of the teacher
     * @param teacher local copy of {@code models/<fp>}, a diffusers folder
     * @param work where checkpoints and the log are written before they are uploaded
     * @throws IllegalArgumentException when data or teacher cannot be trained as the request asks
     * @throws DeviceMemoryException when the run needs more than there is
     */
    public TrainingRun(
            TrainRequest request,
            LatentsDataset data,
            String model,
            Path teacher,
            Machine machine,
            Path work,
            ArtifactStore store,
            LocalCopies copies,
            TrainingObserver observer,
            RunControls controls) {
        this.request = request;
        this.observer = observer;
        this.controls = controls;
        this.store = store;
        this.disk = new LocalDisk(work, machine.diskPatience(), controls);
        TrainRequest.Train train = request.train();
        this.data = data;
        Split split = Settings.split(request, data.index());
        heldOutPairs = split.heldOut();
        order = new EpochOrder(data.index(), split.train(), train.batch(), train.accumulate(), train.seed());
        plan = Settings.plan(request, order.stepsPerEpoch());
        rate = Settings.learningRate(train, plan.steps());
        this.model = model;
        folder = new TeacherFolder(teacher);
        NoiseSchedule schedule = folder.schedule();
        UNetConfig unet = UNetConfig.read(folder.unet());
        new MemoryCheck(
                        unet,
                        PromptEncoder.configs(teacher),
                        folder.pixelsPerLatent(),
                        machine.devices().size())
                .violation(request, machine.memory())
                .ifPresent(tooLarge -> {
                    throw new DeviceMemoryException(tooLarge);
                });
        batches = new Batches(data, folder.latentScale(), Settings.sampling(train, schedule.steps()));
        distillation = Distillation.create(
                folder.unet(),
                TrainingSettings.layout(request, unet),
                TrainingSettings.init(request, teacher),
                TrainingSettings.distillation(request),
                schedule,
                machine.devices());
        heldOut = new HeldOutEvaluation(
                distillation, batches, heldOutPairs, EpochOrder.batches(data.index(), heldOutPairs, train.batch()));
        checkpoints =
                new Checkpoints(store, copies, request.run(), train.checkpoint().keep());
        base = new Base(distillation, folder.unet());
        samples = new Samples(
                store, request, distillation, new Painter(folder, request.samples()), base, controls::ensureOurs);
        latency = () -> Latencies.measure(
                unet,
                distillation.plan().config(),
                request,
                folder.pixelsPerLatent(),
                machine.devices().get(0));
    }

    /**
     * Trains to the end, or until it is to stop.
     *
     * @throws NumericsException when ten steps in a row had to be skipped; the last good checkpoint stays
     */
    public Outcome train() {
        resume();
        tellHeldOut();
        if (request.subject().preservesPrior()) {
            Optional<Stop> early = readyClass();
            if (early.isPresent()) {
                return stopped(early.get());
            }
        }
        if (done == 0) {
            evaluate();
        } else {
            drawSamples();
        }
        began = System.nanoTime();
        busy = 0;
        ahead = new ReadAhead(
                data,
                order,
                prior == null ? batches : batches.beside(prior),
                distillation.replicas(),
                request.train().batch(),
                done,
                plan.steps());
        while (done < plan.steps()) {
            Optional<Stop> stop = controls.stop();
            if (stop.isPresent()) {
                return stopped(stop.get());
            }
            step();
            boolean good = !plan.evaluationAfter(done) || evaluate();
            if (!good && done == plan.steps()) {
                finishUploads();
                throw NumericsException.atTheEnd(done);
            }
            if (good && plan.checkpointAfter(done)) {
                checkpoint();
            }
            drawSamples();
        }
        finishUploads();
        double overhead = overhead();
        return new Outcome.Completed(done, plan.epochs(), seconds, overhead, latency.get());
    }

    private Optional<Stop> readyClass() {
        try (var pictures = new ClassPictures(store, request, model, folder, controls, observer)) {
            Optional<Stop> early = pictures.draw(base);
            if (early.isEmpty()) {
                Path file = disk.folder().resolve("class.safetensors");
                disk.write("class pictures", () -> prior = pictures.encode(file));
            }
            return early;
        }
    }

    private <T> T timed(Supplier<T> work) {
        long started = System.nanoTime();
        T result = work.get();
        busy += (System.nanoTime() - started) / 1e9;
        return result;
    }

    private double overhead() {
        return overheadBefore + (System.nanoTime() - began) / 1e9 - busy;
    }

    private void resume() {
        Optional<Checkpoints.Found> newest = checkpoints.newest();
        newest.ifPresent(found -> {
            TrainState state = StudentFiles.restore(distillation, found.folder());
            state.ensureFits(request.train().seed(), plan.stepsPerEpoch());
            done = state.step();
            seconds = state.seconds();
            overheadBefore = state.overheadSeconds();
        });
        String key = Keys.metrics(request.run());
        byte[] before = newest.isPresent() && store.stat(key).isPresent() ? store.read(key) : new byte[0];
        log = MetricsLog.continuing(disk, before, done);
        upload = new MetricsUpload(store, key, log.file(), controls::ensureOurs);
    }

    private void step() {
        long started = System.nanoTime();
        double learningRate = rate.at(done);
        List<ReadAhead.Part> parts = ahead.next();
        int images = parts.stream().mapToInt(ReadAhead.Part::size).sum();
        distillation.accumulate(parts.stream()
                .map(part -> new Part((double) part.size() / images, part::on))
                .toList());
        StepResult result = distillation.update(learningRate);
        controls.ensureOurs(); // a step may have been a long sleep of this process
        done++;
        double took = (System.nanoTime() - started) / 1e9;
        seconds += took;
        busy += took;
        pace.step(took);
        if (result.nonFinite().isPresent()) {
            skipped(result.nonFinite().get());
            return;
        }
        skippedInARow = 0;
        Progress progress = new Progress(
                done,
                plan.steps(),
                plan.epoch(done),
                plan.epochs(),
                result.losses(),
                result.gradNorm(),
                learningRate,
                images,
                took,
                ahead.secondsWaited(),
                result.deviceSeconds(),
                pace.secondsFor(plan.steps() - done),
                Memory.residentBytes());
        log.add(MetricsLine.of(progress, request.distils()));
        upload.ifDue();
        observer.stepped(progress);
    }

    /** One is no harm; many mean that the student is broken, and no later step will mend it. */
    private void skipped(String where) {
        skippedInARow++;
        LOG.warnf("Skipped a step that is not finite: run=%s step=%d where=%s", request.run(), done, where);
        log.add(MetricsLine.ofSkipped(done, plan.epoch(done), where));
        observer.skipped(done);
        if (skippedInARow == MOST_SKIPPED_IN_A_ROW) {
            finishUploads();
            throw NumericsException.inARow(skippedInARow, done, where);
        }
    }

    /** For those who score the student. */
    private void tellHeldOut() {
        String key = Keys.heldOut(request.run());
        if (store.stat(key).isEmpty()) {
            store.createIfAbsent(key, new HeldOutPairs(data.positions(heldOutPairs)).json());
        }
    }

    /** False for a student that answers with numbers that are not finite: it must not push out an older checkpoint. */
    private boolean evaluate() {
        Losses losses = timed(heldOut::losses);
        if (!losses.finite()) {
            LOG.warnf(
                    "The held-out losses are not finite, no checkpoint is taken: run=%s step=%d", request.run(), done);
            return false;
        }
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("step", done);
        MetricsLine.add(line, "eval_", losses, request.distils());
        distillation.ema().ifPresent(ema -> {
            double distance = ema.distance();
            line.put("ema_distance", distance);
            observer.averaged(distance);
            try (Ema.Applied applied = ema.apply()) {
                MetricsLine.add(line, "eval_ema_", timed(heldOut::losses), request.distils());
            }
        });
        log.add(line);
        return true;
    }

    private void checkpoint() {
        long step = done;
        int epoch = plan.epoch(done);
        Path folder = disk.folder().resolve("checkpoint-" + step);
        TrainState state = new TrainState(
                step,
                distillation.optimizer().steps(),
                epoch,
                request.train().seed(),
                plan.stepsPerEpoch(),
                seconds,
                overhead());
        disk.write("checkpoint of step " + step, () -> StudentFiles.save(distillation, folder, state));
        upload.now();
        checkpoints.upload(step, folder, controls::ensureOurs, new Checkpoints.Told() {
            @Override
            public void stored(double uploadSeconds) {
                observer.checkpointStored(step, epoch, step == plan.steps(), uploadSeconds);
            }

            @Override
            public void failed(double uploadSeconds) {
                observer.checkpointFailed(uploadSeconds);
            }
        });
    }

    private void drawSamples() {
        if (plan.samplesAfter(done)) {
            int epoch = plan.epoch(done);
            List<String> keys = timed(() -> {
                samples.teacher(); // not before the first step: whoever waits for that is not kept waiting
                return samples.student(epoch);
            });
            if (!keys.isEmpty()) {
                observer.samplesRendered(epoch, done, keys);
            }
        }
    }

    private Outcome stopped(Stop why) {
        if (why != Stop.CANCELLED && done > 0 && !plan.checkpointAfter(done) && skippedInARow == 0) {
            checkpoint();
        }
        finishUploads();
        return new Outcome.Stopped(why, done);
    }

    /** However a run ends, the checkpoint on its way and the whole log get into the store first. */
    private void finishUploads() {
        checkpoints.await();
        upload.now();
    }

    @Override
    public void close() {
        if (ahead != null) {
            ahead.close();
        }
        if (prior != null) {
            prior.close();
        }
        checkpoints.close();
        distillation.close();
        data.close();
    }
}
