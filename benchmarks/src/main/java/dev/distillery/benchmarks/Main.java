package dev.distillery.benchmarks;

import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The command line of the benchmarks. */
@Command(
        name = "distillery-benchmarks",
        mixinStandardHelpOptions = true,
        subcommands = {
            StepBenchmark.class,
            ConvertBenchmark.class,
            DataBenchmark.class,
            EncodersBenchmark.class,
            StepProcess.class,
            DataProcess.class
        },
        description = "Time and memory of Distillery beside PyTorch and diffusers in Python.")
final class Main {
    private Main() {}

    public static void main(String[] arguments) {
        System.exit(new CommandLine(new Main()).execute(arguments));
    }
}
