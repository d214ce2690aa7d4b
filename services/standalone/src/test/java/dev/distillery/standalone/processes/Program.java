package dev.distillery.standalone.processes;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** A process with its output in a file. */
final class Program implements AutoCloseable {
    private static final String JAVA = ProcessHandle.current().info().command().orElse("java");

    private final Path log;
    private final Process process;

    private Program(Path log, Process process) {
        this.log = log;
        this.process = process;
    }

    /** @param environment beside this process's own */
    static Program start(Path log, Map<String, String> environment, List<String> command) throws IOException {
        ProcessBuilder builder =
                new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile());
        builder.environment().putAll(environment);
        return new Program(log, builder.start());
    }

    /** A main class of this JVM's class path. */
    static Program java(Path log, String mainClass, List<String> arguments) throws IOException {
        List<String> command =
                new ArrayList<>(List.of(JAVA, "-Xmx384m", "-cp", System.getProperty("java.class.path"), mainClass));
        command.addAll(arguments);
        return start(log, Map.of(), command);
    }

    /** A packaged service. */
    static Program service(Path log, String name, ServiceProcesses.Launch launch, String... arguments)
            throws IOException {
        List<String> command = new ArrayList<>(List.of(JAVA));
        command.addAll(launch.jvm());
        command.addAll(List.of("-jar", "../" + name + "/target/quarkus-app/quarkus-run.jar"));
        command.addAll(Arrays.asList(arguments));
        return start(log, launch.environment(), command);
    }

    /** Whether a command can be found. */
    static boolean isInstalled(String command) {
        return Stream.of(System.getenv("PATH").split(":")).anyMatch(dir -> Files.isExecutable(Path.of(dir, command)));
    }

    /** Waits for its end; what it said is the message of the error when it did not end well. */
    void requireDone() throws InterruptedException {
        if (exitCode() != 0) {
            throw new AssertionError("exit code " + process.exitValue() + ":\n" + said());
        }
    }

    int exitCode() throws InterruptedException {
        if (!process.waitFor(2, TimeUnit.MINUTES)) {
            throw new AssertionError("not ended:\n" + said());
        }
        return process.exitValue();
    }

    boolean alive() {
        return process.isAlive();
    }

    /** Everything it said so far. */
    String said() {
        try {
            return Files.readString(log, StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** As a pod is stopped; killed when it takes too long. */
    @Override
    public void close() {
        process.destroy();
        try {
            if (!process.waitFor(30, TimeUnit.SECONDS)) {
                process.destroyForcibly().waitFor();
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}
