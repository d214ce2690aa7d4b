package dev.distillery.diffusion.distill;

import java.util.ArrayList;
import java.util.List;

import ai.djl.Device;
import dev.distillery.diffusion.tensor.Precision;
import dev.distillery.diffusion.unet.KindsOfUnits;
import dev.distillery.diffusion.unet.StepCost.InputSize;
import dev.distillery.diffusion.unet.UNetConfig;

/** How long networks take for a forward pass on this machine, measured on one unit of each kind: no weights are needed. */
public final class Latency {
    private static final int LEAST_ROUNDS = 3;
    private static final int MOST_ROUNDS = 25;
    private static final double SECONDS_ENOUGH = 2;

    /** A student's own run waits for this: three rounds of SDXL at 1024 pixels would be minutes on a CPU. */
    private static final double SECONDS_MOST = 10;

    private Latency() {}

    /**
     * Seconds of a forward pass without gradients, medians of rounds in which the networks take turns: what else the machine
     * does meets all of them.
     *
     * @param precision of weights and arithmetic
     */
    public static List<Double> seconds(List<UNetConfig> networks, InputSize in, Precision precision, Device device) {
        List<KindsOfUnits> kinds = new ArrayList<>();
        try {
            networks.forEach(network -> kinds.add(new KindsOfUnits(network, in, precision, false, device)));
            kinds.forEach(KindsOfUnits::forward); // to warm up
            List<List<Double>> rounds = new ArrayList<>();
            double spent = 0;
            while (rounds.size() < MOST_ROUNDS
                    && spent < (rounds.size() < LEAST_ROUNDS ? SECONDS_MOST : SECONDS_ENOUGH)) {
                List<Double> round = kinds.stream().map(KindsOfUnits::forward).toList();
                rounds.add(round);
                spent += round.stream().mapToDouble(Double::doubleValue).sum();
            }
            List<Double> medians = new ArrayList<>();
            for (int i = 0; i < kinds.size(); i++) {
                int network = i;
                medians.add(rounds.stream()
                        .map(round -> round.get(network))
                        .sorted()
                        .toList()
                        .get(rounds.size() / 2));
            }
            return medians;
        } finally {
            kinds.forEach(KindsOfUnits::close);
        }
    }
}
