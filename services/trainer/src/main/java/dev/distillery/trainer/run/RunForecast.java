package dev.distillery.trainer.run;

import java.util.function.LongPredicate;
import java.util.stream.LongStream;

import ai.djl.Device;
import dev.distillery.diffusion.distill.StepTime;
import dev.distillery.diffusion.distill.Student;
import dev.distillery.diffusion.unet.StepCost;
import dev.distillery.diffusion.unet.StepCost.InputSize;
import dev.distillery.diffusion.unet.UNetConfig;
import dev.distillery.events.TrainRequest;
import dev.distillery.planning.MemoryCheck;
import dev.distillery.planning.TrainingSettings;
import dev.distillery.trainer.data.EpochOrder;
import dev.distillery.trainer.data.Split;

/**
 * How long a run will train on a device of this machine. Only networks are counted: loading, decoding and the store come on
 * top, as do ingest and encoding.
 *
 * @param heldOut pairs that are not trained on
 * @param stepSeconds of an optimizer step
 * @param training seconds of all steps
 * @param evaluation seconds of all evaluations of the held-out pairs
 * @param samples seconds of all samples, from the measured pass by the operations that theirs has
 * @param total seconds of it all
 */
public record RunForecast(
        long steps,
        int stepsPerEpoch,
        int epochs,
        int heldOut,
        double stepSeconds,
        double training,
        double evaluation,
        double samples,
        double total) {

    /**
     * @param pairs of the data set
     * @param validationPairs of the source that is held out, if there is one; else 0
     */
    public static RunForecast of(
            TrainRequest request, int pairs, int validationPairs, MemoryCheck check, Device device) {
        TrainRequest.Train train = request.train();
        UNetConfig teacher = check.teacher();
        Student student = Student.of(teacher, TrainingSettings.layout(request, teacher));
        InputSize batch = check.microBatch(request);
        Split split = Settings.split(request, pairs + validationPairs, validationPairs);
        int stepsPerEpoch =
                new EpochOrder(split.train(), train.batch() * train.accumulate(), train.seed()).stepsPerEpoch();
        TrainingPlan plan = Settings.plan(request, stepsPerEpoch);
        StepTime time = StepTime.measure(teacher, student, TrainingSettings.distillation(request), batch, device);
        double step = time.step(train.accumulate());
        int networks = train.ema().decay() == null ? 1 : 2; // the student, and its average
        double training = plan.steps() * step;
        double evaluation = (1 + count(plan, plan::evaluationAfter))
                * networks
                * (time.teacher() + time.student())
                * split.heldOut().length
                / train.batch();
        double samples = samples(request, check, student.config(), count(plan, plan::samplesAfter) * networks, device);
        return new RunForecast(
                plan.steps(),
                stepsPerEpoch,
                plan.epochs(),
                split.heldOut().length,
                step,
                training,
                evaluation,
                samples,
                training + evaluation + samples);
    }

    private static double samples(
            TrainRequest request, MemoryCheck check, UNetConfig student, long times, Device device) {
        TrainRequest.Samples samples = request.samples();
        if (samples.prompts().isEmpty()) {
            return 0;
        }
        InputSize measured = check.microBatch(request);
        int side = samples.size() / check.pixelsPerLatent();
        var drawn = new InputSize(samples.guidance() > 1 ? 2 : 1, side, side, measured.tokens());
        long passes = (long) samples.prompts().size() * samples.steps();
        return passes
                * (pass(check.teacher(), measured, drawn, device) + times * pass(student, measured, drawn, device));
    }

    private static double pass(UNetConfig network, InputSize measured, InputSize drawn, Device device) {
        double portion = (double) StepCost.of(network, drawn).allMacs()
                / StepCost.of(network, measured).allMacs();
        return StepTime.prediction(network, measured, device) * portion;
    }

    private static long count(TrainingPlan plan, LongPredicate after) {
        return LongStream.rangeClosed(1, plan.steps()).filter(after).count();
    }
}
