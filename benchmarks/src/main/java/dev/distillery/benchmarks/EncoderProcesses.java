package dev.distillery.benchmarks;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;

import dev.distillery.embedded.Embedded;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.common.GroupState;

/** Some latent-encoding services as processes of one thread each, which share the topic's partitions. */
final class EncoderProcesses implements AutoCloseable {
    private static final String GROUP = "latent-encoding";
    private static final long STARTS_WITHIN_SECONDS = 120;

    private final List<Process> processes = new ArrayList<>();

    /** Returns when each has its partitions. */
    EncoderProcesses(int count, Path service, Path logs, Embedded embedded)
            throws IOException, InterruptedException, ExecutionException {
        for (int i = 0; i < count; i++) {
            List<String> command = new ArrayList<>(List.of(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xmx512m"));
            embedded.settings().forEach((name, value) -> command.add("-D" + name + "=" + value));
            command.add("-Dquarkus.http.port=0");
            command.add("-Ddistillery.work-dir=" + logs.resolve("encoder-" + i));
            command.addAll(List.of("-jar", service.toString()));
            var builder = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(logs.resolve("encoder-" + i + ".log").toFile());
            builder.environment().put("OMP_NUM_THREADS", "1");
            processes.add(builder.start());
        }
        try (Admin admin =
                Admin.create(Map.of("bootstrap.servers", embedded.kafka().bootstrapServers()))) {
            long patience = System.nanoTime() + TimeUnit.SECONDS.toNanos(STARTS_WITHIN_SECONDS);
            while (!haveTheirPartitions(admin)) {
                if (System.nanoTime() > patience || processes.stream().anyMatch(process -> !process.isAlive())) {
                    throw new IllegalStateException("the encoders do not start; see their logs in " + logs);
                }
                processes.get(0).waitFor(200, TimeUnit.MILLISECONDS);
            }
        }
    }

    private boolean haveTheirPartitions(Admin admin) throws InterruptedException, ExecutionException {
        boolean known = admin.listGroups().all().get().stream()
                .anyMatch(group -> group.groupId().equals(GROUP));
        if (!known) {
            return false;
        }
        ConsumerGroupDescription group =
                admin.describeConsumerGroups(List.of(GROUP)).all().get().get(GROUP);
        return group.groupState() == GroupState.STABLE
                && group.members().size() == processes.size()
                && group.members().stream()
                        .noneMatch(
                                member -> member.assignment().topicPartitions().isEmpty());
    }

    @Override
    public void close() {
        processes.forEach(process -> process.destroyForcibly().onExit().join());
    }
}
