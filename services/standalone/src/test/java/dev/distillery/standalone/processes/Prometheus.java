package dev.distillery.standalone.processes;

import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.distillery.embedded.Ports;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/** Prometheus itself as a process; it looks at the services every second. */
final class Prometheus implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final HttpClient http = HttpClient.newHttpClient();
    private final String url;
    private final Instant started = Instant.now();
    private final Program program;

    /** @param ports of the services, by their names */
    Prometheus(Path dir, Map<String, Integer> ports) throws IOException {
        int port = Ports.free();
        url = "http://127.0.0.1:" + port;
        String targets =
                ports.values().stream().map(p -> "'127.0.0.1:" + p + "'").collect(Collectors.joining(", "));
        Path settings = Files.createDirectories(dir).resolve("prometheus.yml");
        Path alerts = Path.of("../../deploy/helm/distillery/files/monitoring/alerts.yaml")
                .toRealPath();
        Files.writeString(
                settings,
                """
                global: {scrape_interval: 1s, evaluation_interval: 5s}
                rule_files: ['%s']
                scrape_configs:
                  - job_name: distillery
                    metrics_path: /q/metrics
                    static_configs: [{targets: [%s]}]
                """
                        .formatted(alerts, targets));
        program = Program.start(
                dir.resolve("prometheus.log"),
                Map.of(),
                List.of(
                        "prometheus",
                        "--config.file=" + settings,
                        "--storage.tsdb.path=" + dir.resolve("data"),
                        "--web.listen-address=127.0.0.1:" + port));
        // what a service counts before it is first seen never shows as an increase
        await().atMost(Duration.ofMinutes(1))
                .ignoreExceptionsInstanceOf(IOException.class)
                .untilAsserted(() ->
                        assertThat(values("count(up == 1) == " + ports.size())).isPositive());
    }

    static boolean isInstalled() {
        return Program.isInstalled("prometheus");
    }

    /** Values of an expression since the start, those that are no numbers left out. */
    long values(String expression) throws IOException, InterruptedException {
        long now = Instant.now().getEpochSecond();
        JsonNode answer = get("/api/v1/query_range?start=" + started.getEpochSecond() + "&end=" + now + "&step=1&query="
                + URLEncoder.encode(expression, StandardCharsets.UTF_8));
        long values = 0;
        for (JsonNode series : answer.at("/data/result")) {
            for (JsonNode value : series.path("values")) {
                if (!value.path(1).asText().equals("NaN")) {
                    values++;
                }
            }
        }
        return values;
    }

    /** Names of all of Distillery's series since the start. */
    Set<String> names() throws IOException, InterruptedException {
        Set<String> names = new TreeSet<>();
        get("/api/v1/label/__name__/values").path("data").forEach(name -> {
            if (name.asText().startsWith("distillery_")) {
                names.add(name.asText());
            }
        });
        return names;
    }

    /** Names of the alerts that fire or are about to. */
    Set<String> alerts() throws IOException, InterruptedException {
        Set<String> alerts = new TreeSet<>();
        get("/api/v1/alerts")
                .at("/data/alerts")
                .forEach(alert -> alerts.add(alert.at("/labels/alertname").asText()));
        return alerts;
    }

    private JsonNode get(String path) throws IOException, InterruptedException {
        var answer = http.send(HttpRequest.newBuilder(URI.create(url + path)).build(), BodyHandlers.ofString());
        if (answer.statusCode() != 200) {
            throw new AssertionError(path + " answered " + answer.statusCode() + ": " + answer.body());
        }
        return JSON.readTree(answer.body());
    }

    @Override
    public void close() {
        program.close();
    }
}
