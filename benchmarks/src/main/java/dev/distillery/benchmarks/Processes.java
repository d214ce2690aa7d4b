package dev.distillery.benchmarks;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Starts what is measured, each time a process of its own. */
final class Processes {
    /** Little is needed: tensors are outside it. */
    private static final String HEAP = "-Xmx512m";

    private Processes() {}

    /** The interpreter, if it has the modules that the peer needs; says so when it has not. */
    static Optional<String> python(String command, String modules) throws InterruptedException {
        try {
            Process process = new ProcessBuilder(command, "-c", "import " + modules)
                    .redirectErrorStream(true)
                    .start();
            String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (process.waitFor() == 0) {
                return Optional.of(command);
            }
            System.err.println("The peer is skipped: --python " + command + ": " + lastLine(said));
        } catch (IOException e) {
            System.err.println("The peer is skipped: --python " + command + ": " + e.getMessage());
        }
        return Optional.empty();
    }

    /** A script of the resources as a file. */
    static Path script(Path folder, String name) throws IOException {
        Path script = folder.resolve(name);
        try (InputStream text = Processes.class.getResourceAsStream(name)) {
            Files.write(script, text.readAllBytes());
        }
        return script;
    }

    /** The beginning of a command that runs a command of this program. */
    static List<String> ours(String command) {
        return new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                HEAP,
                "-cp",
                System.getProperty("java.class.path"),
                Main.class.getName(),
                command));
    }

    /** Runs a command to its end and gives the last line that it printed. */
    static String run(List<String> command, int threads) throws IOException, InterruptedException {
        Path errors = Files.createTempFile("benchmark", ".err");
        try {
            var builder = new ProcessBuilder(command).redirectError(errors.toFile());
            builder.environment().put("OMP_NUM_THREADS", String.valueOf(threads));
            Process process = builder.start();
            String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            int code = process.waitFor();
            if (code != 0) {
                throw new IllegalStateException(String.join(" ", command) + " ended with " + code + ": "
                        + Files.readString(errors).strip());
            }
            return lastLine(said);
        } finally {
            Files.delete(errors);
        }
    }

    private static String lastLine(String text) {
        return text.lines().reduce("", (before, line) -> line);
    }

    /** Most resident memory of this process; Linux tells, elsewhere 0. */
    static long peakBytes() throws IOException {
        Path status = Path.of("/proc/self/status");
        if (!Files.exists(status)) {
            return 0;
        }
        return Files.readAllLines(status).stream()
                .filter(line -> line.startsWith("VmHWM:"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) * 1024)
                .sum();
    }
}
