package dev.distillery.converter.report;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class PageTemplateTest {

    @Test
    void shouldShowEverySectionAndEscapeWordsWhenPageIsComplete() throws Exception {
        // Given
        Page page = page("<script>alert(1)</script>");

        // When
        String html = new PageTemplate("report.html").fill(page);

        // Then
        assertThat(html)
                .contains(
                        "&lt;script&gt;alert(1)",
                        "<svg",
                        "data:image/png;base64,AAAA",
                        "no caption",
                        "12 min 30 s",
                        "7.1 G")
                .doesNotContain("<script>", "NOT_FOUND", "http://", "https://");
        Files.writeString(Path.of("target/template.html"), html);
    }

    private static Page page(String prompt) {
        int n = 400;
        double[] x = new double[n];
        double[] y = new double[n];
        Random random = new Random(1);
        for (int i = 0; i < n; i++) {
            x[i] = i + 1;
            y[i] = 0.3 * Math.exp(-i / 90.0) + 0.03 * (1 + 0.5 * random.nextGaussian() * 0.6) + 0.01;
        }
        Series noisy = new Series("task loss", x, y);
        Series few = new Series(
                "output error", new double[] {0, 100, 200, 300, 400}, new double[] {.268, .04, .03, .024, .02});
        List<Page.Image> columns = new ArrayList<>();
        columns.add(new Page.Image("teacher", "teacher", null));
        columns.add(new Page.Image("epoch 1", "student", "data:image/png;base64,AAAA"));
        Map<String, Long> skipped = new LinkedHashMap<>();
        skipped.put("no caption", 3L);
        return new Page(
                "small-sdxl-emoji",
                "file:///deploy/examples/mini-sdxl",
                "distilled into the layout small",
                "file:///deploy/examples/noto-emoji",
                List.of(
                        new Page.Tile("10.28 M → 6.97 M", "parameters, 32 % fewer"),
                        new Page.Tile("0.268 → 0.02", "held-out output error, 13 times smaller"),
                        new Page.Tile("12 min 30 s", "from the images to the weights"),
                        new Page.Tile("1.9 GB", "peak memory while training")),
                "10,277,508",
                "6,966,692",
                "32 %",
                NetworkPicture.of(NetworkShapeTest.miniShape()),
                List.of(new SizeRow("MACs a step", "7.1 G", "4.7 G", "67 %")),
                "how MACs are counted",
                List.of(
                        new Page.Chart("Task", LineChart.ofNoisy(noisy, "--task"), "student against the noise"),
                        new Page.Chart("Output", LineChart.ofNoisy(noisy, "--output"), "student against teacher"),
                        new Page.Chart("Features", LineChart.ofNoisy(noisy, "--feature"), "block outputs"),
                        new Page.Chart("Held out", LineChart.ofPoints(few, "--eval"), "fixed latents")),
                columns,
                List.of(new Page.SampleRow(prompt, columns)),
                "same seed",
                List.of(new Page.Evaluation(
                        "step-00000400",
                        "32 held-out pairs, 64 px",
                        List.of(new Scores.Row("FID", "12.5", "11.5", "")),
                        "data:image/png;base64,AAAA")),
                List.of(new Page.StageRow("train", "12 min 30 s", 100, "400 steps")),
                "1,024 pairs",
                skipped,
                "runs/x/model/unet",
                "unet = UNet2DConditionModel.from_pretrained(\"unet\")",
                "run: x",
                "made by Distillery");
    }
}
