package dev.distillery.converter.report;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.Keys;
import dev.distillery.artifacts.PrefixWriter;
import dev.distillery.converter.MadeRun;
import dev.distillery.embedded.EmbeddedS3;
import dev.distillery.events.TrainRequest;
import dev.distillery.testing.Infrastructure;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

class ComparisonTest {
    private static final String SCORES =
            """
            {"protocol": {"images": 8, "size": 64, "scheduler": "euler", "steps": 10, "guidance": 7.5, "seed": 1234},
             "match": {"outputError": %s}, "student": {"clip": 0.21}, "teacher": {"clip": 0.25}}
            """;

    @TempDir
    Path dir;

    private EmbeddedS3 s3;
    private ArtifactStore store;

    @BeforeEach
    void makeRuns() {
        s3 = EmbeddedS3.start(dir.resolve("s3"), 0);
        store = Infrastructure.store(s3.endpoint(), "distillery");
        store.ensureBucket();
        make("both", "{}", 0.0171);
        make("task-only", "{\"train\": {\"loss\": {\"output\": 0, \"feature\": 0}}}", 0.0432);
    }

    @AfterEach
    void stop() {
        s3.close();
    }

    @Test
    void shouldTellWhatDiffersAndWhatThatDid() throws Exception {
        // When
        String page = new Comparison(store).of(List.of("both", "task-only"));
        Files.writeString(Path.of("target/comparison.html"), page); // to be looked at

        // Then
        assertThat(page)
                .contains(
                        "Their requests differ in train.loss.output, train.loss.feature, and in nothing else.",
                        ">6.97 M (68 %)<", // parameters
                        ">10.28 M<", // the teacher's
                        ">7.5 ms<",
                        ">0.0171<",
                        ">0.0432<",
                        ">0.25<", // the teacher's CLIP score
                        "var(--series-1)",
                        "a red heart &lt;3")
                .doesNotContain("The runs had different", "NOT_FOUND", "<script");
        assertThat(page.substring(page.indexOf("What the requests share")))
                .contains("resolution: 64", "task: 1")
                .doesNotContain("both", "output:", "feature:");
    }

    @Test
    void shouldSayThatTheDataDifferWhenTheSameAddressHeldSomethingElse() {
        // Given
        String key = Keys.stage("task-only", "train");
        String stage = new String(store.read(key), StandardCharsets.UTF_8);
        store.put(key, stage.replace("\"l1\"", "\"l2\"").getBytes(StandardCharsets.UTF_8));

        // When
        String page = new Comparison(store).of(List.of("both", "task-only"));

        // Then
        assertThat(page).contains("The runs had different encoded latents: l1, l2.");
    }

    private void make(String run, String patch, double outputError) {
        MadeRun.write(store, run, dir);
        store.put(
                Keys.request(run),
                TrainRequest.parse(store.read(Keys.request(run)))
                        .patched(patch.getBytes(StandardCharsets.UTF_8))
                        .canonicalJson());
        store.put(
                Keys.evaluation(run, "step-00000040"),
                SCORES.formatted(outputError).getBytes(StandardCharsets.UTF_8));
        PrefixWriter model = new PrefixWriter(store, Keys.runModel(run));
        model.add("unet/config.json", store.read(Keys.checkpoint(run, MadeRun.STEP) + "unet/config.json"));
        model.complete("model", Map.of());
    }
}
