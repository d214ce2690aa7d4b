package dev.distillery.converter.card;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.artifacts.Keys;
import dev.distillery.converter.card.Card.Loss;
import dev.distillery.converter.card.Card.Setting;
import dev.distillery.converter.report.Numbers;
import dev.distillery.converter.report.RunRecord;
import dev.distillery.converter.report.Scores;
import dev.distillery.converter.report.Series;
import dev.distillery.converter.report.SizeRow;
import dev.distillery.converter.report.Yaml;
import dev.distillery.diffusion.distill.Layouts;
import dev.distillery.diffusion.singlefile.ComfyUi;
import dev.distillery.diffusion.unet.UNetConfig;
import dev.distillery.events.EvaluateRequest;

/** Says in words and figures what a {@link RunRecord} holds, as a card. */
record CardWriter(RunRecord record, Converted model, Terms terms, List<String> licences, List<Card.Sample> samples) {
    Card write() {
        Origin teacher = Origin.of(record.text("teacher", "model"));
        Origin dataset = Origin.of(record.source());
        List<SizeRow> sizes = record.sizes();
        return new Card(
                Header.of(
                        terms,
                        teacher,
                        datasets(),
                        family(),
                        record.subjectPrompt(),
                        record.distils(),
                        model.save().contains("pipeline")),
                record.run(),
                teacher.markdown(),
                dataset.markdown(),
                record.text("student", "layout"),
                sizes.get(0).portion(),
                setting("/encode/resolution"),
                sizes,
                samples,
                samplesNote(),
                new Use(record, model).markdown(),
                comfyUi(),
                !record.text("student", "layout").equals("teacher"),
                record.trainsTextEncoders(),
                losses(),
                scores(),
                settings(),
                Markdown.block("yaml", request()),
                terms.markdown(teacher, licences));
    }

    private List<Origin> datasets() {
        List<Origin> all = new ArrayList<>(List.of(Origin.of(record.text("dataset", "source"))));
        JsonNode validation = record.request().at("/dataset/validation");
        if (validation.isTextual()) {
            all.add(Origin.of(validation.asText()));
        }
        return all;
    }

    private String family() {
        return Layouts.family(UNetConfig.of(record.teacherConfig()));
    }

    private String samplesNote() {
        return "Teacher and student drew each row from the same noise: " + setting("/samples/steps")
                + " steps, guidance "
                + setting("/samples/guidance") + ", " + setting("/samples/size") + " px, seed "
                + setting("/samples/seed")
                + ".";
    }

    private String comfyUi() {
        String file = model.save().contains("single-file")
                ? "the file loads there"
                : "it loads there as a single file (save: single-file when it is converted)";
        return ComfyUi.recognises(UNetConfig.of(record.studentConfig()))
                ? "ComfyUI recognises this layout: " + file + "."
                : "ComfyUI does not recognise this layout: it knows SDXL's U-Nets by their transformer depths, and these are"
                        + " not among them. diffusers loads it.";
    }

    private List<Loss> losses() {
        return record.distils() ? List.of(loss("task"), loss("output"), loss("feature")) : List.of(loss("task"));
    }

    private Loss loss(String term) {
        Series steps = record.series("loss_" + term).drawable(false);
        Series held = record.series("eval_" + term).drawable(false);
        boolean trained = steps.y().length > 0;
        boolean evaluated = held.y().length > 0;
        return new Loss(
                term,
                trained ? Numbers.value(steps.first()) : "",
                trained ? Numbers.value(steps.smoothed().last()) : "",
                evaluated && held.x()[0] == 0 ? Numbers.value(held.first()) : "",
                evaluated ? Numbers.value(held.last()) : "");
    }

    private Scores scores() {
        return record.scores().stream()
                .filter(scores -> scores.name().equals(EvaluateRequest.nameOf(model.step())))
                .filter(scores -> model.prefix().equals(Keys.runModel(record.run())))
                .findFirst()
                .orElse(null);
    }

    private List<Setting> settings() {
        List<Setting> rows = new ArrayList<>();
        rows.add(new Setting("steps", Numbers.count(model.step())));
        rows.add(new Setting(
                "batch",
                setting("/train/batch")
                        + (setting("/train/accumulate").equals("1")
                                ? ""
                                : " x " + setting("/train/accumulate") + " accumulated")));
        rows.add(new Setting(
                "optimizer",
                String.join(
                        ", ",
                        setting("/train/optimizer/type"),
                        "learning rate " + setting("/train/optimizer/learningRate")
                                + (record.trainsTextEncoders()
                                        ? ", of the text encoders " + setting("/lora/textEncoderLearningRate")
                                        : ""),
                        setting("/train/schedule/type"))));
        rows.add(new Setting("precision", setting("/train/precision")));
        rows.add(new Setting("weights", model.weights() + ", saved as " + model.dtype()));
        rows.add(new Setting(
                "loss weights",
                String.format(
                        Locale.ROOT,
                        "task %s, output %s, feature %s (%s)",
                        setting("/train/loss/task"),
                        setting("/train/loss/output"),
                        setting("/train/loss/feature"),
                        setting("/train/loss/featurePoints"))));
        record.dataset()
                .ifPresent(about -> rows.add(
                        new Setting("pairs", Numbers.count(about.path("pairs").asLong()))));
        return rows;
    }

    private String setting(String pointer) {
        return record.request().at(pointer).asText();
    }

    private String request() {
        ObjectNode request = record.request().deepCopy();
        hide((ObjectNode) request.path("teacher"), "model");
        hide((ObjectNode) request.path("teacher"), "vae");
        hide((ObjectNode) request.path("dataset"), "source");
        hide((ObjectNode) request.path("dataset"), "validation");
        return Yaml.of(request);
    }

    private static void hide(ObjectNode parent, String field) {
        if (parent.path(field).isTextual()) {
            parent.put(field, Origin.of(parent.path(field).asText()).address());
        }
    }
}
