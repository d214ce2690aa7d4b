package dev.distillery.standalone;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The packaged command as its user starts it: another JVM. */
final class DistilleryProcess implements AutoCloseable {
    private static final Path JAR = Path.of("target/quarkus-app/quarkus-run.jar");

    private final Process process;
    private final BufferedReader output;
    private final List<String> lines = new ArrayList<>();

    DistilleryProcess(String... arguments) throws IOException {
        List<String> command =
                new ArrayList<>(List.of(ProcessHandle.current().info().command().orElse("java"), "-Xmx1g", "-jar"));
        command.add(JAR.toString());
        command.addAll(List.of(arguments));
        process = new ProcessBuilder(command).redirectErrorStream(true).start();
        output = process.inputReader();
    }

    /** Reads its output up to a line that contains {@code text}; fails when it ends before. */
    void awaitLine(String text) throws IOException {
        for (String line = output.readLine(); line != null; line = output.readLine()) {
            lines.add(line);
            if (line.contains(text)) {
                return;
            }
        }
        throw new AssertionError("ended before '" + text + "':\n" + String.join("\n", lines));
    }

    /** As {@code kill -9}. */
    void kill() throws InterruptedException {
        process.destroyForcibly().waitFor();
    }

    /** As a service manager stops it. What it says last can still be read: {@link Process#destroy} would close its output. */
    void terminate() {
        process.toHandle().destroy();
    }

    /** Reads the rest of its output; returns the exit code. */
    int await() throws IOException, InterruptedException {
        output.lines().forEach(lines::add);
        return process.waitFor();
    }

    /** What it has said so far. */
    List<String> lines() {
        return lines;
    }

    @Override
    public void close() throws IOException {
        process.destroyForcibly();
        output.close();
    }
}
