package dev.distillery.diffusion.distill;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

import ai.djl.ndarray.types.Shape;
import dev.distillery.diffusion.clip.ClipConfig;
import dev.distillery.diffusion.clip.ClipTextEncoder;
import dev.distillery.diffusion.lora.Lora;
import dev.distillery.diffusion.tensor.Precision;
import dev.distillery.diffusion.unet.StepCost;
import dev.distillery.diffusion.unet.UNet2DCondition;
import dev.distillery.diffusion.unet.UNetConfig;

/**
 * The most memory that training needs on its device, in bytes by part, told before any weight is read.
 *
 * @param teacher its weights, matrices and kernels in the type of the arithmetic; 0 without one
 * @param student its weights in float32; with a LoRA as narrow as a teacher's, and the LoRA
 * @param textEncoders their weights, as narrow as a teacher's, if a LoRA beside them learns
 * @param gradients of what learns, which stay from step to step
 * @param ema the average of the student's weights, where it is beside the student
 * @param activations what a step makes: the outputs that gradients need, the teacher's pass, the way back
 * @param process what is there without a network. On the CPU the JVM, PyTorch's libraries and what the allocator does not
 *     give back, as measured beside small and large networks; on a GPU CUDA's context and kernels, a usual figure
 */
public record MemoryEstimate(
        long teacher,
        long student,
        long textEncoders,
        long gradients,
        long optimizer,
        long ema,
        long activations,
        long process) {
    private static final long PROCESS_ON_CPU = 350_000_000;
    private static final long PROCESS_ON_GPU = 600_000_000;
    /** Numbers of a token that a layer of a text encoder keeps, in those of a hidden state: see clip_layer of ops.py. */
    private static final int KEPT_OF_TEXT_LAYER = 22;

    /**
     * Text encoders whose LoRA learns.
     *
     * @param encoders by their folders' names
     * @param prompts that are encoded in a step
     */
    public record Text(Map<String, ClipConfig> encoders, Lora lora, int prompts) {
        private Map<String, Shape> learnt() {
            var learnt = new LinkedHashMap<String, Shape>();
            encoders.forEach((folder, encoder) -> lora.shapes(ClipTextEncoder.parameterShapes(encoder))
                    .forEach((key, shape) -> learnt.put(folder + "." + key, shape)));
            return learnt;
        }

        private long bytes(Precision precision) {
            return encoders.values().stream()
                    .mapToLong(encoder -> MemoryEstimate.bytes(ClipTextEncoder.parameterShapes(encoder), precision))
                    .sum();
        }

        private long activations(Precision precision) {
            return encoders.values().stream()
                    .mapToLong(encoder -> (long) prompts
                            * encoder.positions()
                            * encoder.layers()
                            * encoder.width()
                            * KEPT_OF_TEXT_LAYER
                            * precision.bytes())
                    .sum();
        }
    }

    /**
     * @param lora what learns in place of the student; empty: the student
     * @param text what learns beside that
     * @param in of what is in memory at once: a micro-batch
     * @param onGpu whether the device is one; an average of weights on the CPU then is elsewhere
     */
    public static MemoryEstimate of(
            UNetConfig teacher,
            Student plan,
            Distillation.Settings settings,
            Optional<Lora> lora,
            Optional<Text> text,
            StepCost.InputSize in,
            boolean onGpu) {
        Map<String, Shape> parameters = UNet2DCondition.parameterShapes(plan.config());
        Precision precision = settings.precision();
        var learnt = new LinkedHashMap<>(
                lora.map(adapters -> adapters.shapes(parameters)).orElse(parameters));
        text.ifPresent(encoders -> learnt.putAll(encoders.learnt()));
        long learning = learnt.values().stream().mapToLong(Shape::size).sum() * Float.BYTES;
        long frozen = lora.isPresent() ? bytes(parameters, precision) : 0;
        boolean averaged =
                settings.ema().filter(average -> !onGpu || !average.onCpu()).isPresent();
        Set<String> sites = settings.objective().sites(teacher, plan);
        return new MemoryEstimate(
                settings.taught() ? bytes(UNet2DCondition.parameterShapes(teacher), precision) : 0,
                frozen + learning,
                text.map(encoders -> encoders.bytes(precision)).orElse(0L),
                learning,
                settings.optimizer().stateBytes(learnt),
                averaged ? learning : 0,
                StepCost.activationBytes(teacher, plan.config(), sites, in, precision, settings.recompute())
                        + text.map(encoders -> encoders.activations(precision)).orElse(0L),
                onGpu ? PROCESS_ON_GPU : PROCESS_ON_CPU);
    }

    /** Only matrices and kernels are narrow. */
    private static long bytes(Map<String, Shape> shapes, Precision precision) {
        return shapes.values().stream()
                .mapToLong(shape -> shape.size() * (shape.dimension() < 2 ? Float.BYTES : precision.bytes()))
                .sum();
    }

    public long total() {
        return parts().values().stream().mapToLong(Long::longValue).sum();
    }

    /** In the order of the record. */
    public Map<String, Long> parts() {
        var parts = new LinkedHashMap<String, Long>();
        parts.put("teacher", teacher);
        parts.put("student", student);
        parts.put("textEncoders", textEncoders);
        parts.put("gradients", gradients);
        parts.put("optimizer", optimizer);
        parts.put("ema", ema);
        parts.put("activations", activations);
        parts.put("process", process);
        return parts;
    }
}
