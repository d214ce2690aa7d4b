package dev.distillery.standalone;

import java.io.IOException;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import dev.distillery.embedded.EmbeddedS3;
import dev.distillery.standalone.installation.Cli;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

/** The commands against real services: those of the packaged command, while it works on a run of its own. */
@Timeout(300)
class InstallationIT {
    private static final Pattern PLACES =
            Pattern.compile("Kafka broker \\((localhost:\\d+)\\) and an S3 store \\((http://127\\.0\\.0\\.1:\\d+)\\)");

    @TempDir
    Path dir;

    @Test
    void shouldPauseALongRunForAnotherOneFetchItsResultsAndEndTheFirst() throws Exception {
        // Given
        Path longRun = request("long", 100_000);
        Path shortRun = request("short", 4);
        String results = dir.resolve("results").toString();
        try (DistilleryProcess services = new DistilleryProcess(
                "run", longRun.toString(), "--home", dir.resolve("home").toString())) {
            services.awaitLine("Kafka broker");
            Cli cli = cli(services.lines().get(services.lines().size() - 1));
            services.awaitLine("checkpoint of step 8");

            // When
            int submitted = cli.run("submit", "-f", shortRun.toString());
            int paused = cli.run("pause", "long");
            services.awaitLine("paused after step");
            int followed = cli.run("follow", "short");
            String told = cli.out();
            cli.run("runs", "-o", "json");

            // Then
            assertThat(submitted).isZero();
            assertThat(paused).isZero();
            assertThat(followed).as(cli.err()).isZero();
            assertThat(told)
                    .contains("accept", "encode", "4 steps", "convert", "s3://distillery/runs/short/report.html");
            assertThat(cli.json())
                    .extracting(run ->
                            run.path("run").asText() + " " + run.path("state").asText())
                    .containsExactlyInAnyOrder("long paused", "short completed");

            // When
            int fetched = cli.run("fetch", "short", "--out", results);
            int shown = cli.run("run", "short", "-o", "json");

            // Then
            assertThat(fetched).as(cli.err()).isZero();
            assertThat(Path.of(results, "model/unet/diffusion_pytorch_model.safetensors"))
                    .exists();
            assertThat(Path.of(results, "report.html")).content().contains("</html>");
            assertThat(shown).isZero();
            assertThat(cli.json().path("stages")).hasSize(4);
            assertThat(cli.json().path("progressPercentage").asInt()).isEqualTo(100);
            assertThat(cli.json().at("/metrics/step").asInt()).isEqualTo(4);

            // When
            int extended = cli.run("extend", "short", "--steps", "6");
            int again = cli.run("follow", "short");
            cli.run("resume", "long");
            services.awaitLine("resumed");
            services.awaitLine("checkpoint of step");
            cli.run("cancel", "long");
            int end = services.await();

            // Then
            assertThat(extended).isZero();
            assertThat(again).isZero();
            assertThat(end).as(String.join("\n", services.lines())).isEqualTo(1);
            assertThat(services.lines()).last().asString().contains("cancelled in stage 'train'");
        }
    }

    private Cli cli(String line) {
        Matcher places = PLACES.matcher(line);
        assertThat(places.find()).as(line).isTrue();
        return Cli.without(dir)
                .env("DISTILLERY_KAFKA_BOOTSTRAP_SERVERS", places.group(1))
                .env("DISTILLERY_STORE_ENDPOINT", places.group(2))
                .env("DISTILLERY_STORE_ACCESS_KEY", EmbeddedS3.ACCESS_KEY)
                .env("DISTILLERY_STORE_SECRET_KEY", EmbeddedS3.SECRET_KEY);
    }

    private Path request(String run, int steps) throws IOException {
        return ExampleRequest.write(dir, run, steps, "");
    }
}
