package dev.distillery.events;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Pattern;

import com.fasterxml.jackson.databind.JsonNode;

/** What each field of a train request may be. */
final class TrainRequestRules {
    /** What a run may be called: it becomes part of keys and paths. */
    static final String RUN = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?";

    static final String A_RUN = "a DNS label: a-z, 0-9 and -, at most 63 characters";

    /** Objectives that have the task loss alone. */
    static final Set<String> UNTAUGHT = Set.of("finetune", "dreambooth");

    private static final Pattern A_RUN_PATTERN = Pattern.compile(RUN);
    private static final int MOST_OF_A_ROW = 1000; // characters

    private final JsonNode request;
    private final List<Violation> violations = new ArrayList<>();

    private TrainRequestRules(JsonNode request) {
        this.request = request;
    }

    static boolean isRun(String name) {
        return A_RUN_PATTERN.matcher(name).matches();
    }

    /** Every broken rule of a request with its defaults filled in. */
    static List<Violation> check(JsonNode request) {
        return new TrainRequestRules(request).all();
    }

    /** As {@link #check}, of an evaluate request. */
    static List<Violation> checkEvaluate(JsonNode request) {
        var rules = new TrainRequestRules(request);
        rules.text("run", RUN, A_RUN);
        rules.text("name", RUN, A_RUN);
        rules.evaluate();
        rules.check("evaluate.images", v -> v.asInt() > 0, "1 or more");
        return rules.violations;
    }

    private List<Violation> all() {
        text("run", RUN, A_RUN);
        oneOf("objective", Set.of("distill", "finetune", "dreambooth"));
        String source = "(hf|s3|file)://.{1,1000}";
        text("teacher.model", source, "hf://owner/name[@revision], s3://bucket/prefix or file:///dir");
        textOrNull("teacher.vae", source, "hf://owner/name, s3://bucket/prefix or file:///dir");
        String web = "(hf|s3|file|https?)://.{1,1000}"; // http:// where data-ingest's operator allows it
        if (teachesSubject()) {
            check(
                    "dataset.source",
                    JsonNode::isNull,
                    "left out with objective dreambooth: the pictures are subject.images");
            check("dataset.validation", JsonNode::isNull, "null with objective dreambooth");
        } else {
            text(
                    "dataset.source",
                    web,
                    "hf://datasets/owner/name, s3://bucket/prefix, https://host/file or file:///dir");
        }
        subject(source);
        text("dataset.image", ".+", "the name of a column");
        check(
                "dataset.caption",
                v -> isColumn(v) || areWeights(v),
                "the name of a column, or an object of columns and positive weights");
        wholeOrNull("dataset.filter.minSide", 1, 100_000);
        range("dataset.filter.aspect", v -> isPositive(v), "a positive number or null");
        range(
                "dataset.filter.captionLength",
                v -> isWhole(v, 1, 1_000_000),
                "a whole number from 1 to 1000000 or null");
        oneOf("dataset.filter.duplicates", Set.of("keep", "drop"));
        number("dataset.maxFailed", 0, 1);
        wholeOrNull("dataset.limit", 1, Integer.MAX_VALUE);
        check(
                "dataset.validation",
                v -> v.isNull() || isFraction(v) || v.isTextual() && v.asText().matches(web),
                "a number between 0 and 1, a source such as hf://datasets/owner/name, or null");
        text("student.layout", "[a-z0-9.-]+", "the name of a layout, such as small");
        check("student.keep", TrainRequestRules::isRows, "null, or an object of blocks and short texts such as '0 2'");
        check(
                "student.keep",
                v -> at("student.layout").asText().equals("custom") == !v.isEmpty(),
                "given when student.layout is custom, and only then");
        oneOf("student.init", Set.of("teacher", "random"));
        lora();
        check("encode.resolution", v -> v.isInt() && v.asInt() >= 8 && v.asInt() % 8 == 0, "a multiple of 8 in pixels");
        check("encode.buckets", JsonNode::isBoolean, "true or false");
        oneOf("encode.crop", Set.of("random", "center"));
        number("encode.flip", 0, 1);
        whole("encode.views", 1, 64);
        wholeOrNull("train.epochs", 1, 1_000_000);
        wholeOrNull("train.steps", 1, Integer.MAX_VALUE);
        check("train.epochs", v -> v.isNull() != at("train.steps").isNull(), "given or train.steps, not both");
        whole("train.batch", 1, 4096);
        whole("train.accumulate", 1, 4096);
        oneOf("train.precision", Set.of("bf16", "fp32"), " (small gradients vanish in fp16's range)");
        oneOf("train.optimizer.type", Set.of("adafactor", "adamw"));
        number("train.optimizer.learningRate", 0, Double.MAX_VALUE);
        number("train.optimizer.weightDecay", 0, 1);
        oneOf("train.schedule.type", Set.of("constant", "linear", "cosine"));
        whole("train.schedule.warmup", 0, Integer.MAX_VALUE);
        check("train.clip", TrainRequestRules::isPositive, "a positive number");
        for (String term : List.of("task", "output", "feature")) {
            number("train.loss." + term, 0, Double.MAX_VALUE);
        }
        check("train.loss.task", v -> learnsSomething(), "more than 0, or another weight of a loss that is used");
        oneOf("train.loss.featurePoints", Set.of("block", "layer", "self-attention"));
        oneOf("train.loss.normalize", Set.of("none", "teacher"));
        check("train.loss.snrGamma", v -> v.isNull() || isPositive(v), "a positive number or null");
        check("train.loss.debiased", JsonNode::isBoolean, "true or false");
        check(
                "train.loss.debiased",
                v -> !v.asBoolean() || at("train.loss.snrGamma").isNull(),
                "false when train.loss.snrGamma is given");
        check("train.loss.huber", v -> v.isNull() || isPositive(v), "a positive number or null");
        number("train.timesteps.begin", 0, 1);
        number("train.timesteps.end", 0, 1);
        check(
                "train.timesteps.end",
                v -> v.asDouble() > at("train.timesteps.begin").asDouble(),
                "more than train.timesteps.begin");
        check("train.timesteps.multiplier", TrainRequestRules::isPositive, "a positive number");
        number("train.noise.offset", 0, 1);
        fractionOrNull("train.noise.pyramid");
        check(
                "train.noise.pyramid",
                v -> v.isNull() || at("train.noise.offset").asDouble() == 0,
                "null when train.noise.offset is given");
        number("train.noise.perturbation", 0, 1);
        number("train.captionDropout", 0, 1);
        fractionOrNull("train.ema.decay");
        whole("train.ema.everySteps", 1, Integer.MAX_VALUE);
        oneOf("train.ema.device", Set.of("cpu", "model"));
        check("train.gradientCheckpointing", JsonNode::isBoolean, "true or false");
        check("train.seed", JsonNode::isIntegralNumber, "a whole number");
        wholeOrNull("train.checkpoint.everyEpochs", 1, 1_000_000);
        wholeOrNull("train.checkpoint.everySteps", 1, Integer.MAX_VALUE);
        check(
                "train.checkpoint.everyEpochs",
                v -> v.isNull() != at("train.checkpoint.everySteps").isNull(),
                "given or train.checkpoint.everySteps, not both");
        whole("train.checkpoint.keep", 1, 1_000_000);
        texts("samples.prompts", Set.of());
        whole("samples.everyEpochs", 1, 1_000_000);
        check("samples.size", v -> v.isInt() && v.asInt() >= 8 && v.asInt() % 8 == 0, "a multiple of 8 in pixels");
        whole("samples.steps", 1, 1000);
        number("samples.guidance", 0, 1000);
        check("samples.seed", JsonNode::isIntegralNumber, "a whole number");
        texts("convert.save", Set.of("unet", "pipeline", "single-file", "kohya"));
        check("convert.save", v -> !has(v, "kohya") || hasLora(), "without kohya when lora.rank is 0");
        oneOf("convert.weights", Set.of("ema", "raw"));
        check(
                "convert.weights",
                v -> !v.asText().equals("ema") || !at("train.ema.decay").isNull(),
                "raw when train.ema.decay is null");
        oneOf("convert.dtype", Set.of("fp32", "fp16", "bf16"));
        textOrNull("convert.variant", "[A-Za-z0-9_]{1,32}", "a short name such as fp16, of letters, digits and _");
        text("convert.maxShardSize", "(?=.*[1-9])\\d{1,9}(\\.\\d{1,3})?(KB|MB|GB|TB)", "a size such as 10GB or 500MB");
        evaluate();
        return violations;
    }

    private void evaluate() {
        whole("evaluate.images", 0, 1_000_000);
        texts("evaluate.scores", Set.of("teacher-match", "clip", "fid", "is"));
        check("evaluate.scores", v -> !v.isEmpty(), "one score or more");
        check(
                "evaluate.scheduler",
                v -> v.isNull()
                        || v.isTextual() && Set.of("euler", "ddim", "pndm").contains(v.asText()),
                "one of ddim, euler, pndm, or null");
        whole("evaluate.steps", 1, 1000);
        number("evaluate.guidance", 0, 1000);
        check(
                "evaluate.size",
                v -> v.isNull() || isWhole(v, 8, 4096) && v.asInt() % 8 == 0,
                "a multiple of 8 in pixels, at most 4096, or null");
        wholeOrNull("evaluate.scoredSize", 8, 4096);
        check("evaluate.seed", JsonNode::isIntegralNumber, "a whole number");
        String object = "s3://[^/]{1,63}/.{1,900}";
        textOrNull("evaluate.clip", object, "s3://bucket/prefix, in the store's own bucket");
        textOrNull("evaluate.inception", object, "s3://bucket/key, in the store's own bucket");
        textOrNull("evaluate.inceptionSha256", "[0-9a-f]{64}", "64 hexadecimal digits");
        textOrNull("evaluate.realStatistics", object, "s3://bucket/key, in the store's own bucket");
        needed("evaluate.clip", "clip");
        for (String score : List.of("fid", "is")) {
            needed("evaluate.inception", score);
            needed("evaluate.inceptionSha256", score);
        }
    }

    private void subject(String source) {
        String some = ".{0,1000}\\S.{0,1000}";
        if (teachesSubject()) {
            text("subject.images", source, "hf://datasets/owner/name, s3://bucket/prefix or file:///dir");
            text("subject.prompt", some, "a text such as 'a photo of sks dog'");
            textOrNull("subject.classPrompt", some, "a text such as 'a photo of a dog'");
        } else {
            for (String field : List.of("subject.images", "subject.prompt", "subject.classPrompt")) {
                check(field, JsonNode::isNull, "null unless objective is dreambooth");
            }
        }
        whole("subject.classImages", 1, 10_000);
        number("subject.priorWeight", 0, Double.MAX_VALUE);
        check(
                "encode.buckets",
                v -> !v.asBoolean() || at("subject.classPrompt").isNull(),
                "false with subject.classPrompt, whose pictures are squares");
    }

    private boolean teachesSubject() {
        return at("objective").asText().equals("dreambooth");
    }

    private void lora() {
        whole("lora.rank", 0, 4096);
        check("lora.alpha", v -> v.isNull() || isPositive(v), "a positive number, or null for lora.rank");
        texts("lora.targets", Set.of("to_q", "to_k", "to_v", "to_out.0", "ff.net.0.proj", "ff.net.2"));
        check("lora.targets", v -> !v.isEmpty(), "one layer or more");
        check(
                "lora.textEncoderLearningRate",
                v -> v.isNull() || isPositive(v) && hasLora() && teachesSubject(),
                "null, or with objective dreambooth and a lora.rank a positive number: the prompts of a data set are encoded"
                        + " before the training");
        check(
                "train.optimizer.learningRate",
                v -> v.asDouble() > 0 || at("lora.textEncoderLearningRate").isNull(),
                "more than 0 with lora.textEncoderLearningRate");
        if (hasLora()) {
            check(
                    "objective",
                    v -> !v.asText().equals("distill"),
                    "finetune or dreambooth when lora.rank is more than 0");
            check("student.layout", v -> v.asText().equals("teacher"), "teacher when lora.rank is more than 0");
            check("student.init", v -> v.asText().equals("teacher"), "teacher when lora.rank is more than 0");
        }
    }

    private boolean hasLora() {
        return at("lora.rank").asInt() > 0;
    }

    private static boolean has(JsonNode list, String text) {
        for (JsonNode v : list) {
            if (v.asText().equals(text)) {
                return true;
            }
        }
        return false;
    }

    private void needed(String path, String score) {
        if (has(at("evaluate.scores"), score)) {
            check(path, v -> !v.isNull(), "given for the score " + score);
        }
    }

    /** Fine-tuning, of a subject too, and plain training of the whole network have the task loss only. */
    private boolean learnsSomething() {
        boolean plain = at("student.layout").asText().equals("teacher")
                || UNTAUGHT.contains(at("objective").asText());
        List<String> terms = plain ? List.of("task") : List.of("task", "output", "feature");
        return terms.stream().anyMatch(term -> at("train.loss." + term).asDouble() > 0);
    }

    private static boolean isColumn(JsonNode value) {
        return value.isTextual() && !value.asText().isEmpty();
    }

    private static boolean areWeights(JsonNode columns) {
        boolean good = columns.isObject() && !columns.isEmpty();
        for (JsonNode weight : columns) {
            good &= isPositive(weight);
        }
        return good;
    }

    private static boolean isRows(JsonNode keep) {
        boolean good = keep.isNull() || keep.isObject();
        for (JsonNode row : keep) {
            good &= row.isTextual() && row.asText().length() <= MOST_OF_A_ROW;
        }
        return good;
    }

    private JsonNode at(String path) {
        return request.at("/" + path.replace('.', '/'));
    }

    private void check(String path, Predicate<JsonNode> rule, String allowed) {
        JsonNode value = at(path);
        if (!rule.test(value)) {
            violations.add(new Violation(path, value.toString(), "must be " + allowed));
        }
    }

    private void text(String path, String pattern, String allowed) {
        check(path, v -> v.isTextual() && v.asText().matches(pattern), allowed);
    }

    private void textOrNull(String path, String pattern, String allowed) {
        check(path, v -> v.isNull() || v.isTextual() && v.asText().matches(pattern), allowed + ", or null");
    }

    private void oneOf(String path, Set<String> allowed) {
        oneOf(path, allowed, "");
    }

    private void oneOf(String path, Set<String> allowed, String why) {
        check(path, v -> v.isTextual() && allowed.contains(v.asText()), "one of " + sorted(allowed) + why);
    }

    private void whole(String path, int least, int most) {
        check(path, v -> isWhole(v, least, most), "a whole number from " + least + " to " + most);
    }

    private void wholeOrNull(String path, int least, int most) {
        check(
                path,
                v -> v.isNull() || isWhole(v, least, most),
                "a whole number from " + least + " to " + most + ", or null");
    }

    private void range(String path, Predicate<JsonNode> bound, String allowed) {
        JsonNode min = at(path + ".min");
        JsonNode max = at(path + ".max");
        check(path + ".min", v -> v.isNull() || bound.test(v), allowed);
        check(path + ".max", v -> v.isNull() || bound.test(v), allowed);
        check(
                path + ".max",
                v -> !min.isNumber() || !max.isNumber() || min.asDouble() <= max.asDouble(),
                "at least " + path + ".min");
    }

    private static boolean isWhole(JsonNode value, int least, int most) {
        return value.isInt() && value.asInt() >= least && value.asInt() <= most;
    }

    private void number(String path, double least, double most) {
        String upTo = most == Double.MAX_VALUE ? " or more" : " to " + most;
        check(path, v -> isFinite(v) && v.asDouble() >= least && v.asDouble() <= most, "a number, " + least + upTo);
    }

    private void fractionOrNull(String path) {
        check(path, v -> v.isNull() || isFraction(v), "more than 0 and less than 1, or null");
    }

    private static boolean isFraction(JsonNode value) {
        return isPositive(value) && value.asDouble() < 1;
    }

    private static boolean isPositive(JsonNode value) {
        return isFinite(value) && value.asDouble() > 0;
    }

    private static boolean isFinite(JsonNode value) {
        return value.isNumber() && Double.isFinite(value.asDouble());
    }

    /** @param allowed any text when empty */
    private void texts(String path, Set<String> allowed) {
        check(
                path,
                list -> {
                    boolean good = list.isArray();
                    for (JsonNode v : list) {
                        good &= v.isTextual() && (allowed.isEmpty() || allowed.contains(v.asText()));
                    }
                    return good;
                },
                "a list of " + (allowed.isEmpty() ? "texts" : sorted(allowed)));
    }

    private static String sorted(Set<String> words) {
        return String.join(", ", words.stream().sorted().toList());
    }
}
