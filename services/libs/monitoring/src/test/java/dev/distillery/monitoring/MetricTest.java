package dev.distillery.monitoring;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.prometheus.PrometheusConfig;
import io.micrometer.prometheus.PrometheusMeterRegistry;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class MetricTest {
    private static final Path TABLE = Path.of("../../../deploy/monitoring/README.md");

    @Test
    void shouldBeTheTableThatPeopleRead() throws IOException {
        // When
        List<String> rows = Files.readAllLines(TABLE).stream()
                .filter(line -> line.startsWith("| `distillery_"))
                .toList();

        // Then
        assertThat(rows)
                .containsExactlyElementsOf(
                        Stream.of(Metric.values()).map(MetricTest::row).toList());
    }

    private static String row(Metric metric) {
        String labels = metric.labels().isEmpty() ? "" : "`" + String.join("`, `", metric.labels()) + "`";
        return "| `%s` | %s | %s | %s | %s |"
                .formatted(
                        metric.prometheusName(),
                        metric.kind().name().toLowerCase(Locale.ROOT),
                        labels,
                        metric.service(),
                        metric.help());
    }

    @ParameterizedTest
    @EnumSource
    void shouldHaveItsNameInPrometheusOwnFormat(Metric metric) {
        // Given
        PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
        String[] values = metric.labels().toArray(new String[0]);

        // When
        switch (metric.kind()) {
            case COUNTER -> metric.counter(registry, values).increment();
            case GAUGE -> metric.gauge(registry, () -> 1, values);
            case SUMMARY, HISTOGRAM -> metric.timer(registry, values);
        }

        // Then
        String suffix = metric.kind() == Metric.Kind.COUNTER || metric.kind() == Metric.Kind.GAUGE ? "" : "_count";
        assertThat(registry.scrape().lines().filter(line -> !line.startsWith("#")))
                .anyMatch(line -> line.startsWith(metric.prometheusName() + suffix + "{")
                        || line.startsWith(metric.prometheusName() + suffix + " "));
    }

    @Test
    void shouldRefuseAMeterOfAnotherKindOrWithOtherLabels() {
        // Given
        MeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);

        // Then
        assertThatThrownBy(() -> Metric.TRAIN_IMAGES.gauge(registry, () -> 1))
                .hasMessage("distillery_train_images_total is a COUNTER, not a GAUGE");
        assertThatThrownBy(() -> Metric.RUNS.gauge(registry, () -> 1))
                .hasMessage("distillery_runs has the labels [state] but got the values []");
    }
}
