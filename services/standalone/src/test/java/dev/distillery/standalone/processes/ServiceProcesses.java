package dev.distillery.standalone.processes;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import dev.distillery.embedded.Ports;

import static org.awaitility.Awaitility.await;

/** The services, packaged, as processes of their own. */
public final class ServiceProcesses implements AutoCloseable {
    public static final List<String> NAMES =
            List.of("data-ingest", "latent-encoding", "trainer", "converter", "evaluator");

    private final HttpClient http = HttpClient.newHttpClient();
    private final Map<String, Program> programs = new LinkedHashMap<>();
    private final Map<String, Integer> ports = new LinkedHashMap<>();

    /**
     * How a service is started.
     *
     * @param jvm options of Java
     */
    public record Launch(List<String> jvm, Map<String, String> environment) {}

    /** Says it for each service, which listens at the port. */
    public interface Launches {
        Launch of(String service, int port) throws IOException;
    }

    /** Starts all and returns when they are ready to work; each has its log in {@code logs}. */
    public ServiceProcesses(Path logs, Launches launches) throws IOException {
        for (String service : NAMES) {
            int port = Ports.free();
            ports.put(service, port);
            programs.put(service, Program.service(logs.resolve(service + ".log"), service, launches.of(service, port)));
        }
        await().atMost(Duration.ofMinutes(3))
                .pollInterval(Duration.ofMillis(300))
                .until(() -> NAMES.stream().allMatch(service -> {
                    if (!programs.get(service).alive()) {
                        throw new AssertionError(service + " has ended:\n" + said(service));
                    }
                    return healthy(service);
                }));
    }

    /** Whether it lives, and says that it is ready to work. */
    public boolean healthy(String service) {
        try {
            var request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + ports.get(service) + "/q/health"))
                    .timeout(Duration.ofSeconds(10))
                    .build();
            return programs.get(service).alive()
                    && http.send(request, BodyHandlers.discarding()).statusCode() == 200;
        } catch (IOException e) {
            return false; // not yet, or no longer
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    Map<String, Integer> ports() {
        return ports;
    }

    /** Everything that a service said so far. */
    public String said(String service) {
        return programs.get(service).said();
    }

    @Override
    public void close() {
        programs.values().forEach(Program::close);
    }
}
