package dev.distillery.diffusion.unet;

import java.util.Set;
import java.util.stream.Collectors;

import ai.djl.ndarray.NDManager;
import dev.distillery.diffusion.tensor.Precision;
import dev.distillery.diffusion.tensor.Torch;
import dev.distillery.diffusion.tensor.Weights;
import dev.distillery.diffusion.unet.Tape.Storage;

/**
 * What a U-Net and a training step of it cost, told by shapes alone: no weight is read, and no number computed.
 *
 * @param macs multiplications with additions of a forward pass in convolutions and linear layers, as BK-SDM's script counts
 * @param attentionMacs those of the products inside attention, which PyTorch's flop counter counts as well
 */
public record StepCost(long macs, long attentionMacs) {
    /**
     * @param height of the latents
     * @param tokens of a prompt
     */
    public record InputSize(long batch, long height, long width, long tokens) {}

    /** Of layers and attention. */
    public long allMacs() {
        return macs + attentionMacs;
    }

    private static final class Pass implements AutoCloseable {
        private final NDManager scope = Torch.newManager();
        final Units units;
        final UnitTapes.Network network;
        final MemoryOfPass memory;

        Pass(UNetConfig config, InputSize in, Precision precision, boolean castsWeights) {
            units = new UNet2DCondition(config, Weights.shapesOnly(scope)).units();
            network = UnitTapes.Network.of(units, new Tape(precision, castsWeights), config, in);
            memory = new MemoryOfPass(units, network);
        }

        Storage output(String site) {
            return network.outputs().get(units.place(site)).storage();
        }

        @Override
        public void close() {
            scope.close();
        }
    }

    /** Of one forward pass. */
    public static StepCost of(UNetConfig config, InputSize in) {
        try (Pass pass = new Pass(config, in, Precision.FP32, false)) {
            return new StepCost(pass.network.tape().macs(), pass.network.tape().attentionMacs());
        }
    }

    /**
     * The most bytes at once that a training step needs beside weights, gradients and optimizer: what autograd keeps of the
     * student, the teacher's pass, and the way back.
     *
     * @param sites the student's outputs that are compared with the teacher's
     */
    public static long activationBytes(
            UNetConfig teacher,
            UNetConfig student,
            Set<String> sites,
            InputSize in,
            Precision precision,
            boolean recompute) {
        try (Pass taught = new Pass(teacher, in, precision, false);
                Pass learnt = new Pass(student, in, precision, precision != Precision.FP32)) {
            taught.memory.forward(false, Set.of());
            Set<Storage> compared = sites.stream().map(learnt::output).collect(Collectors.toSet());
            learnt.memory.forward(!recompute, recompute ? learnt.memory.outputs() : compared);
            compared.forEach(learnt.memory::compare);
            learnt.memory.beside(taught.memory.peak());
            if (recompute) {
                learnt.memory.backwardRecomputing();
            } else {
                learnt.memory.backward();
            }
            return learnt.memory.peak();
        }
    }
}
