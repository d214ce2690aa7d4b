package dev.distillery.converter.report;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;

import ai.djl.ndarray.types.Shape;
import com.fasterxml.jackson.databind.JsonNode;
import dev.distillery.converter.report.Page.Chart;
import dev.distillery.converter.report.Page.StageRow;
import dev.distillery.converter.report.Page.Tile;
import dev.distillery.diffusion.distill.Layouts;
import dev.distillery.diffusion.distill.Student;
import dev.distillery.diffusion.unet.UNet2DCondition;
import dev.distillery.diffusion.unet.UNetConfig;

/** Says in words, figures and drawings what a {@link RunRecord} holds. */
final class PageWriter {

    private final RunRecord record;
    private final NetworkShape shape;
    private final SampleGrid grid;

    PageWriter(RunRecord record) {
        this.record = record;
        this.shape = shape(record);
        this.grid = new SampleGrid(record);
    }

    Page write() {
        return new Page(
                record.run(),
                record.text("teacher", "model"),
                what(),
                record.text("dataset", "source"),
                tiles(),
                Numbers.count(shape.teacherParameters()),
                Numbers.count(shape.studentParameters()),
                Numbers.percent(shape.saving()),
                NetworkPicture.of(shape),
                record.sizes(),
                sizesNote(),
                charts(),
                grid.columns(),
                grid.rows(),
                samplesNote(),
                record.scores().stream()
                        .map(s -> new Page.Evaluation(s.name(), s.settings(), s.rows(), s.gridData()))
                        .toList(),
                stages(),
                data(),
                skipped(),
                weights(),
                howToLoad(),
                Yaml.of(record.request()),
                "Written by Distillery from what the store holds of this run.");
    }

    private String what() {
        int rank = record.request().at("/lora/rank").asInt();
        if (record.distils()) {
            return "distilled into the layout " + record.text("student", "layout");
        }
        if (rank == 0) {
            return "fine-tuned";
        }
        return "fine-tuned by a LoRA of rank " + rank
                + (record.trainsTextEncoders() ? ", of the text encoders too" : "");
    }

    private static NetworkShape shape(RunRecord record) {
        UNetConfig teacher = UNetConfig.of(record.teacherConfig());
        String layout = record.text("student", "layout");
        Map<String, String> keep = new LinkedHashMap<>();
        record.request()
                .at("/student/keep")
                .properties()
                .forEach(block -> keep.put(block.getKey(), block.getValue().asText()));
        Student student = Student.of(teacher, Layouts.of(teacher, layout, keep));
        Map<String, String> teacherKeys = student.teacherKeys();
        return NetworkShape.of(
                sizes(teacher),
                sizes(UNetConfig.of(record.studentConfig())),
                key -> teacherKeys.getOrDefault(key, key));
    }

    private static Map<String, Long> sizes(UNetConfig config) {
        Map<String, Long> sizes = new LinkedHashMap<>();
        for (Map.Entry<String, Shape> entry :
                UNet2DCondition.parameterShapes(config).entrySet()) {
            sizes.put(entry.getKey(), entry.getValue().size());
        }
        return sizes;
    }

    private String sizesNote() {
        return "A step of denoising one image of "
                + record.request().at("/encode/resolution").asText()
                + " px, in multiplications with additions (MACs): with the products inside attention, as PyTorch's flop"
                + " counter counts (half of its number), and without them, as BK-SDM's script does.";
    }

    private List<Tile> tiles() {
        List<Tile> tiles = new ArrayList<>();
        if (record.distils()) {
            tiles.add(new Tile(
                    Numbers.parameters(shape.teacherParameters()) + " → "
                            + Numbers.parameters(shape.studentParameters()),
                    "parameters, " + Numbers.percent(shape.saving()) + " fewer"));
        }
        Series heldOut = heldOut();
        if (heldOut.y().length > 1) {
            double before = heldOut.y()[0];
            tiles.add(new Tile(
                    Numbers.value(before) + " → " + Numbers.value(heldOut.last()),
                    (record.distils() ? "output error" : "task loss") + " on held-out pairs, "
                            + Numbers.value(before / heldOut.last()) + " times smaller"));
        }
        double seconds = record.stages().values().stream()
                .mapToDouble(stage -> stage.path("seconds").asDouble())
                .sum();
        tiles.add(new Tile(Numbers.duration(seconds), "work, from the images to the weights"));
        OptionalDouble peak = Arrays.stream(record.series("resident_bytes").y()).max();
        if (peak.isPresent()) {
            tiles.add(new Tile(Numbers.bytes((long) peak.getAsDouble()), "most memory while training"));
        }
        return tiles;
    }

    private List<Chart> charts() {
        List<Chart> charts = new ArrayList<>();
        charts.add(loss("Task", "loss_task", "--task", "The student's prediction against the noise that was added."));
        if (record.distils()) {
            charts.add(loss("Output", "loss_output", "--output", "The student's prediction against the teacher's."));
            charts.add(loss(
                    "Features",
                    "loss_feature",
                    "--feature",
                    "The outputs of the blocks against the teacher's, summed."));
        }
        charts.add(new Chart(
                (record.distils() ? "Output error" : "Task loss") + " on held-out pairs",
                LineChart.ofPoints(heldOut(), "--eval"),
                heldOutNote()));
        return charts;
    }

    private Chart loss(String title, String field, String colour, String note) {
        return new Chart(title, LineChart.ofNoisy(record.series(field), colour), note);
    }

    /** What training is to make small, on pairs that are held out. */
    private Series heldOut() {
        return record.series(record.distils() ? "eval_output" : "eval_task").drawable(false);
    }

    private String heldOutNote() {
        String fixed = "Pairs that never trained, with fixed noise and timesteps.";
        Series heldOut = heldOut();
        return heldOut.y().length < 2
                ? fixed
                : fixed + " Before training " + Numbers.value(heldOut.y()[0]) + ", after "
                        + Numbers.value(heldOut.last()) + ".";
    }

    private String samplesNote() {
        return "Teacher and student drew each row from the same noise: "
                + howSampled(record.request().path("samples"));
    }

    static String howSampled(JsonNode samples) {
        return "seed "
                + samples.path("seed").asText() + ", "
                + samples.path("steps").asText() + " steps, guidance "
                + samples.path("guidance").asText() + ", "
                + samples.path("size").asText() + " px.";
    }

    private List<StageRow> stages() {
        double longest = record.stages().values().stream()
                .mapToDouble(stage -> stage.path("seconds").asDouble())
                .max()
                .orElse(1);
        List<StageRow> rows = new ArrayList<>();
        record.stages().forEach((name, stage) -> {
            double seconds = stage.path("seconds").asDouble();
            rows.add(new StageRow(
                    name,
                    Numbers.duration(seconds),
                    Math.round(100 * seconds / Math.max(longest, 1e-9)),
                    StageDetails.inWords(stage.path("detail"))));
        });
        return rows;
    }

    private String data() {
        return record.dataset()
                .map(about -> Numbers.count(about.path("pairs").asLong()) + " pairs of image and caption in "
                        + Numbers.count(about.path("shards").asLong()) + " shards; "
                        + Numbers.count(about.path("skipped").asLong()) + " images were skipped.")
                .orElse("The data set's manifest is no longer in the store.");
    }

    private Map<String, Long> skipped() {
        Map<String, Long> reasons = new LinkedHashMap<>();
        record.dataset().ifPresent(about -> about.path("reasons")
                .properties()
                .forEach(
                        reason -> reasons.put(reason.getKey(), reason.getValue().asLong())));
        return reasons;
    }

    private String weights() {
        return Numbers.bytes(record.weightsBytes()) + " in " + record.text("convert", "dtype")
                + ", in the store below runs/" + record.run() + "/model/. They load unchanged in diffusers:";
    }

    private String howToLoad() {
        if (record.trainsTextEncoders()) { // the U-Net alone would not be all
            return "from diffusers import DiffusionPipeline\n" + "pipe = DiffusionPipeline.from_pretrained(\""
                    + record.text("teacher", "model") + "\")\n" + "pipe.load_lora_weights(\"runs/" + record.run()
                    + "/model\")";
        }
        return "from diffusers import UNet2DConditionModel\n" + "unet = UNet2DConditionModel.from_pretrained(\"runs/"
                + record.run() + "/model\", subfolder=\"unet\")";
    }
}
