package dev.distillery.standalone;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A request of few steps, on the example's teacher and twenty of its pairs. */
final class ExampleRequest {
    private static final Path EXAMPLES = Path.of("../../deploy/examples");

    private ExampleRequest() {}

    /** @param more lines of YAML */
    static Path write(Path dir, String run, int steps, String more) throws IOException {
        return Files.writeString(
                dir.resolve(run + ".yaml"),
                """
                run: %s
                teacher: {model: %s}
                dataset: {source: %s, limit: 20}
                encode: {resolution: 64, crop: center}
                train:
                  steps: %d
                  batch: 2
                  precision: fp32
                  optimizer: {type: adamw, learningRate: 3.0e-4}
                  gradientCheckpointing: false
                  checkpoint: {everySteps: 8, keep: 2}
                convert: {dtype: fp16}
                %s
                """
                        .formatted(
                                run,
                                EXAMPLES.resolve("mini-sdxl").toRealPath(),
                                EXAMPLES.resolve("noto-emoji").toRealPath(),
                                steps,
                                more));
    }
}
