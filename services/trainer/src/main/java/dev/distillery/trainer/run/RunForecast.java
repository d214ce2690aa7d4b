package dev.distillery.trainer.run;

import java.util.List;
import java.util.function.LongPredicate;
import java.util.stream.LongStream;

import ai.djl.Device;
import dev.distillery.diffusion.distill.Latency;
import dev.distillery.diffusion.distill.StepTime;
import dev.distillery.diffusion.distill.Student;
import dev.distillery.diffusion.tensor.Precision;
import dev.distillery.diffusion.unet.StepCost;
import dev.distillery.diffusion.unet.StepCost.InputSize;
import dev.distillery.diffusion.unet.UNetConfig;
import dev.distillery.events.TrainRequest;
import dev.distillery.planning.MemoryCheck;
import dev.distillery.planning.TrainingSettings;
import dev.distillery.trainer.data.Split;

/**
 * How long a run will train on a device of this machine. Only U-Nets are counted: text encoders that learn, loading, decoding and the store come on
 * top, as do ingest and encoding.
 *
 * @param heldOut pairs that are not trained on
 * @param stepSeconds of an optimizer step
 * @param training seconds of all steps
 * @param evaluation seconds of all evaluations of the held-out pairs
 * @param samples seconds of all samples, from the measured pass by the operations that theirs has
 * @param classPictures seconds of drawing the pictures of a subject's class, if none is there yet
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
        double classPictures,
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
        int heldOut = validationPairs > 0
                ? validationPairs
                : Split.heldOut(pairs, request.dataset().validationPortion());
        boolean all = validationPairs > 0 || request.teachesSubject();
        int trained = Math.max(1, all ? pairs : pairs - heldOut);
        int ofStep = train.batch() * train.accumulate();
        int stepsPerEpoch = (trained + ofStep - 1) / ofStep; // a few more when images keep their shapes
        TrainingPlan plan = Settings.plan(request, stepsPerEpoch);
        StepTime time = StepTime.measure(teacher, student, TrainingSettings.distillation(request), batch, device);
        double step = time.step(train.accumulate());
        int networks = train.ema().decay() == null ? 1 : 2; // the student, and its average
        double training = plan.steps() * step;
        double evaluation = (1 + count(plan, plan::evaluationAfter))
                * networks
                * (time.teacher() + time.student())
                * heldOut
                / batch.batch();
        int prompts = request.samples().prompts().size();
        int ofClass = request.subject().preservesPrior() ? request.subject().classImages() : 0;
        List<Double> passes = prompts + ofClass == 0
                ? List.of(0.0, 0.0)
                : Latency.seconds(List.of(teacher, student.config()), batch, Precision.FP32, device);
        InputSize sample = pictureOf(request, request.samples().size(), check);
        InputSize classPicture = pictureOf(request, request.encode().resolution(), check);
        long times = count(plan, plan::samplesAfter) * networks;
        double steps = request.samples().steps();
        double samples = steps
                * prompts
                * (passes.get(0) * portion(teacher, batch, sample)
                        + times * passes.get(1) * portion(student.config(), batch, sample));
        double classPictures = steps * ofClass * passes.get(0) * portion(teacher, batch, classPicture);
        return new RunForecast(
                plan.steps(),
                stepsPerEpoch,
                plan.epochs(),
                heldOut,
                step,
                training,
                evaluation,
                samples,
                classPictures,
                training + evaluation + samples + classPictures);
    }

    /** What a network sees at a step of drawing. */
    private static InputSize pictureOf(TrainRequest request, int px, MemoryCheck check) {
        int side = px / check.pixelsPerLatent();
        return new InputSize(
                request.samples().guidance() > 1 ? 2 : 1,
                side,
                side,
                check.microBatch(request).tokens());
    }

    /** What a pass of the second size is of one of the first. */
    private static double portion(UNetConfig network, InputSize measured, InputSize drawn) {
        return (double) StepCost.of(network, drawn).allMacs()
                / StepCost.of(network, measured).allMacs();
    }

    private static long count(TrainingPlan plan, LongPredicate after) {
        return LongStream.rangeClosed(1, plan.steps()).filter(after).count();
    }
}
