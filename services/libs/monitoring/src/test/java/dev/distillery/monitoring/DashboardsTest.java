package dev.distillery.monitoring;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import static org.assertj.core.api.Assertions.assertThat;

/** Dashboards and alerts ask for what there is. That every panel gets an answer is seen in ProcessesIT. */
class DashboardsTest {
    private static final Path MONITORING = Path.of("../../../deploy/helm/distillery/files/monitoring");
    private static final Path RUNBOOKS = Path.of("../../../deploy/monitoring/runbooks.md");
    private static final Pattern SELECTOR = Pattern.compile("\\b(distillery_\\w+)(?:\\{([^}]*)})?");
    private static final Pattern LABEL = Pattern.compile("(\\w+)\\s*(?:=~|!~|!=|=)");
    private static final List<String> OF_EVERY_SCRAPE = List.of("instance", "job");

    static List<Path> dashboards() throws IOException {
        try (Stream<Path> files = Files.list(MONITORING.resolve("dashboards"))) {
            return files.sorted().toList();
        }
    }

    @ParameterizedTest
    @MethodSource("dashboards")
    void shouldBeAPlainDashboardWithItsDataSourceToChoose(Path file) throws IOException {
        // Given
        JsonNode dashboard = new ObjectMapper().readTree(file.toFile());

        // Then
        String name = file.getFileName().toString().replace(".json", "");
        assertThat(dashboard.path("uid").asText()).isEqualTo("distillery-" + name);
        assertThat(dashboard.path("schemaVersion").asInt()).isEqualTo(39);
        assertThat(dashboard.at("/templating/list/0/type").asText()).isEqualTo("datasource");
        assertThat(dashboard.findValuesAsText("uid").stream().skip(1)).containsOnly("${datasource}");
        List<Integer> ids = panels(dashboard).stream()
                .map(panel -> panel.path("id").asInt())
                .toList();
        assertThat(ids).doesNotHaveDuplicates().doesNotContain(0);
    }

    @ParameterizedTest
    @MethodSource("dashboards")
    void shouldHaveItsPanelsBesideEachOther(Path file) throws IOException {
        // Given
        Map<String, Integer> taken = new HashMap<>();

        // When
        for (JsonNode panel : panels(new ObjectMapper().readTree(file.toFile()))) {
            JsonNode at = panel.path("gridPos");
            for (int x = 0; x < at.path("w").asInt(); x++) {
                for (int y = 0; y < at.path("h").asInt(); y++) {
                    taken.merge((at.path("x").asInt() + x) + "," + (at.path("y").asInt() + y), 1, Integer::sum);
                }
            }
            assertThat(at.path("x").asInt() + at.path("w").asInt()).isLessThanOrEqualTo(24);
        }

        // Then
        assertThat(taken.values()).containsOnly(1);
    }

    @ParameterizedTest
    @MethodSource("dashboards")
    void shouldAskForMetricsOfTheTable(Path file) throws IOException {
        for (JsonNode panel : panels(new ObjectMapper().readTree(file.toFile()))) {
            for (JsonNode target : panel.path("targets")) {
                check(target.path("expr").asText());
            }
        }
    }

    @Test
    void shouldAlertOnMetricsOfTheTableWithARunbookEach() throws IOException {
        // Given
        JsonNode groups = new YAMLMapper()
                .readTree(MONITORING.resolve("alerts.yaml").toFile())
                .path("groups");
        List<String> chapters = Files.readAllLines(RUNBOOKS).stream()
                .filter(line -> line.startsWith("## "))
                .map(line -> line.substring(3))
                .toList();

        // When
        List<String> alerts = new ArrayList<>();
        for (JsonNode group : groups) {
            for (JsonNode rule : group.path("rules")) {
                String alert = rule.path("alert").asText();
                alerts.add(alert);
                check(rule.path("expr").asText());
                assertThat(rule.at("/annotations/runbook_url").asText())
                        .isEqualTo("runbooks.md#" + alert.toLowerCase(Locale.ROOT));
            }
        }

        // Then
        assertThat(chapters).isEqualTo(alerts);
    }

    private static void check(String expression) {
        Matcher selector = SELECTOR.matcher(expression);
        while (selector.find()) {
            Metric metric = metric(selector.group(1));
            Matcher label = LABEL.matcher(selector.group(2) == null ? "" : selector.group(2));
            while (label.find()) {
                assertThat(Stream.concat(metric.labels().stream(), OF_EVERY_SCRAPE.stream()))
                        .as(expression)
                        .contains(label.group(1));
            }
        }
    }

    private static Metric metric(String name) {
        return Stream.of(Metric.values())
                .filter(metric -> names(metric).contains(name))
                .findFirst()
                .orElseThrow(() -> new AssertionError(name + " is not in the table of metrics"));
    }

    private static List<String> names(Metric metric) {
        String name = metric.prometheusName();
        return switch (metric.kind()) {
            case COUNTER, GAUGE -> List.of(name);
            case SUMMARY -> List.of(name + "_count", name + "_sum", name + "_max");
            case HISTOGRAM -> List.of(name + "_count", name + "_sum", name + "_max", name + "_bucket");
        };
    }

    private static List<JsonNode> panels(JsonNode dashboard) {
        List<JsonNode> panels = new ArrayList<>();
        for (JsonNode panel : dashboard.path("panels")) {
            panels.add(panel);
            panel.path("panels").forEach(panels::add);
        }
        return panels;
    }
}
