package dev.distillery.diffusion.distill;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

import ai.djl.ndarray.types.Shape;
import dev.distillery.diffusion.tensor.Precision;
import dev.distillery.diffusion.unet.Lora;
import dev.distillery.diffusion.unet.StepCost;
import dev.distillery.diffusion.unet.UNet2DCondition;
import dev.distillery.diffusion.unet.UNetConfig;

/**
 * The most memory that training needs on its device, in bytes by part, told before any weight is read.
 *
 * @param teacher its weights, matrices and kernels in the type of the arithmetic; 0 without one
 * @param student its weights in float32; with a LoRA as narrow as a teacher's, and the LoRA
 * @param gradients of what learns, which stay from step to step
 * @param ema the average of the student's weights, where it is beside the student
 * @param activations what a step makes: the outputs that gradients need, the teacher's pass, the way back
 * @param process what is there without a network. On the CPU the JVM, PyTorch's libraries and what the allocator does not
 *     give back, as measured beside small and large networks; on a GPU CUDA's context and kernels, a usual figure
 */
public record MemoryEstimate(
        long teacher, long student, long gradients, long optimizer, long ema, long activations, long process) {
    private static final long PROCESS_ON_CPU = 350_000_000;
    private static final long PROCESS_ON_GPU = 600_000_000;

    /**
     * @param lora what learns in place of the student; empty: the student
     * @param in of what is in memory at once: a micro-batch
     * @param onGpu whether the device is one; an average of weights on the CPU then is elsewhere
     */
    public static MemoryEstimate of(
            UNetConfig teacher,
            Student plan,
            Distillation.Settings settings,
            Optional<Lora> lora,
            StepCost.InputSize in,
            boolean onGpu) {
        Map<String, Shape> parameters = UNet2DCondition.parameterShapes(plan.config());
        Map<String, Shape> learnt =
                lora.map(adapters -> adapters.shapes(plan.config())).orElse(parameters);
        long learning = learnt.values().stream().mapToLong(Shape::size).sum() * Float.BYTES;
        long frozen = lora.isPresent() ? bytes(parameters, settings.precision()) : 0;
        boolean averaged =
                settings.ema().filter(average -> !onGpu || !average.onCpu()).isPresent();
        Set<String> sites = settings.objective().sites(teacher, plan);
        return new MemoryEstimate(
                settings.taught() ? bytes(UNet2DCondition.parameterShapes(teacher), settings.precision()) : 0,
                frozen + learning,
                learning,
                settings.optimizer().stateBytes(learnt),
                averaged ? learning : 0,
                StepCost.activationBytes(teacher, plan.config(), sites, in, settings.precision(), settings.recompute()),
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
        parts.put("gradients", gradients);
        parts.put("optimizer", optimizer);
        parts.put("ema", ema);
        parts.put("activations", activations);
        parts.put("process", process);
        return parts;
    }
}
