package dev.distillery.events;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.SortedMap;
import java.util.TreeMap;

import com.fasterxml.jackson.databind.JsonNode;

/**
 * What a user asks for, complete: what the request leaves out has its default. Fields are described with the request's
 * format in the README.
 *
 * @param objective {@code distill}: do what the teacher does; {@code finetune}: learn the task alone, which needs no teacher
 *     but for its weights; or {@code dreambooth}: learn a subject so
 * @param dataset what is learnt from, unless that is a subject
 */
public record TrainRequest(
        String run,
        String objective,
        Teacher teacher,
        Dataset dataset,
        Subject subject,
        Student student,
        Lora lora,
        Encode encode,
        Train train,
        Samples samples,
        Convert convert,
        Evaluate evaluate)
        implements Event {

    /** @param vae null: the teacher's own */
    public record Teacher(String model, String vae) {}

    /**
     * @param caption a column, or an object of columns and how often each is chosen beside the others
     * @param limit at most so many pairs; null: all
     * @param validation what is held out for the evaluation: a portion of the pairs, or a source of others; null: a sixteenth,
     *     at most 128 pairs
     * @param maxFailed portion of shards that may fail to be encoded
     */
    public record Dataset(
            String source,
            String image,
            JsonNode caption,
            Filter filter,
            Integer limit,
            JsonNode validation,
            double maxFailed) {
        /** How often each column of captions is chosen beside the others. */
        public SortedMap<String, Double> captions() {
            var weights = new TreeMap<String, Double>();
            if (caption.isTextual()) {
                weights.put(caption.textValue(), 1.0);
            }
            caption.properties()
                    .forEach(column ->
                            weights.put(column.getKey(), column.getValue().doubleValue()));
            return weights;
        }

        public OptionalDouble validationPortion() {
            return validation != null && validation.isNumber()
                    ? OptionalDouble.of(validation.doubleValue())
                    : OptionalDouble.empty();
        }

        public Optional<String> validationSource() {
            return Optional.ofNullable(validation).filter(JsonNode::isTextual).map(JsonNode::textValue);
        }
    }

    /**
     * What dreambooth teaches.
     *
     * @param images source of its pictures, 3 to 30; null unless the objective is dreambooth
     * @param prompt caption of each of them
     * @param classPrompt what pictures of its class are drawn by, which the network is to keep; null: it may forget
     * @param classImages how many of those
     * @param priorWeight of their loss beside that of the subject's pictures
     */
    public record Subject(String images, String prompt, String classPrompt, int classImages, double priorWeight) {
        /** Whether the subject's class is learnt beside it, as the network knew it. */
        public boolean preservesPrior() {
            return classPrompt != null;
        }
    }

    /**
     * What a pair must be like to be trained on.
     *
     * @param minSide pixels of an image's shorter side, at least; null: any
     * @param aspect width divided by height
     * @param captionLength in characters
     * @param duplicates {@code keep}, or {@code drop} all but the first of images of the same bytes
     */
    public record Filter(Integer minSide, Range aspect, Lengths captionLength, String duplicates) {
        /** Wants every pair. */
        public static final Filter NONE = new Filter(null, new Range(null, null), new Lengths(null, null), "keep");
    }

    /** Both included; null: no bound. */
    public record Range(Double min, Double max) {}

    /** Both included; null: no bound. */
    public record Lengths(Integer min, Integer max) {}

    /**
     * @param keep of layout {@code custom}: the teacher's blocks that stay, each with its layers; else empty
     * @param init {@code teacher} or {@code random}: the student's first weights
     */
    public record Student(String layout, SortedMap<String, String> keep, String init) {
        public Student {
            keep = keep == null ? Collections.emptySortedMap() : Collections.unmodifiableSortedMap(keep);
        }

        /** That the teacher has not what this keeps of it, for a reason that continues the field's name. */
        public Violation violation(String reason) {
            return keep.isEmpty()
                    ? new Violation("student.layout", layout, reason)
                    : new Violation("student.keep", keep.toString(), reason);
        }
    }

    /**
     * Low-rank adapters that learn in place of the network, which then is the whole teacher's.
     *
     * @param rank 0: none, the network itself learns
     * @param alpha the adapters count by alpha / rank; null: rank
     * @param targets layers of the U-Net's transformer blocks
     * @param textEncoderLearningRate with which adapters of the text encoders' attentions learn, too; null: they do not
     */
    public record Lora(int rank, Double alpha, List<String> targets, Double textEncoderLearningRate) {
        public boolean learns() {
            return rank > 0;
        }
    }

    /**
     * @param resolution in pixels, of both sides; with buckets, of a square of the same area
     * @param buckets whether images keep their shapes, of which there are nine
     */
    public record Encode(int resolution, boolean buckets, String crop, double flip, int views) {}

    /**
     * Either {@code steps} or {@code epochs} is null.
     *
     * @param captionDropout probability that a pair is seen without its caption
     */
    public record Train(
            Integer epochs,
            Integer steps,
            int batch,
            int accumulate,
            String precision,
            Optimizer optimizer,
            Schedule schedule,
            double clip,
            Loss loss,
            Timesteps timesteps,
            Noise noise,
            double captionDropout,
            Ema ema,
            boolean gradientCheckpointing,
            long seed,
            Checkpoint checkpoint) {}

    public record Optimizer(String type, double learningRate, double weightDecay) {}

    /** @param warmup in steps */
    public record Schedule(String type, int warmup) {}

    /**
     * @param featurePoints where features are compared: {@code block}, {@code layer} or {@code self-attention}
     * @param normalize {@code teacher}: each feature's term is divided by the mean square of the teacher's; or {@code none}
     * @param snrGamma of min-SNR weights; null: none
     * @param debiased whether samples weigh by debiased estimation
     * @param huber the delta of a Huber loss; null: mean square error
     */
    public record Loss(
            double task,
            double output,
            double feature,
            String featurePoints,
            String normalize,
            Double snrGamma,
            boolean debiased,
            Double huber) {}

    /** Those from {@code begin} to {@code end}, portions of all, are drawn {@code multiplier} times as often as the others. */
    public record Timesteps(double begin, double end, double multiplier) {}

    /**
     * @param offset weight of a number for each channel; 0: none
     * @param pyramid discount of noise of lower resolutions; null: none
     * @param perturbation weight of noise that is not to be predicted; 0: none
     */
    public record Noise(double offset, Double pyramid, double perturbation) {}

    /**
     * @param decay of the average of the student's weights; null: none is kept
     * @param everySteps how often it is moved
     * @param device {@code cpu}, or {@code model}: beside the student
     */
    public record Ema(Double decay, int everySteps, String device) {}

    /** Either {@code everySteps} or {@code everyEpochs} is null. */
    public record Checkpoint(Integer everyEpochs, Integer everySteps, int keep) {}

    public record Samples(List<String> prompts, int everyEpochs, int size, int steps, double guidance, long seed) {}

    /**
     * @param weights {@code raw} or {@code ema}
     * @param variant part of the files' names, such as {@code fp16}; null: none
     * @param maxShardSize the most that a file of weights holds, such as {@code 10GB}
     */
    public record Convert(List<String> save, String weights, String dtype, String variant, String maxShardSize) {}

    /**
     * How a converted student is scored beside its teacher.
     *
     * @param images at most so many of the held-out pairs; 0: it is not
     * @param scores of {@code teacher-match}, {@code clip}, {@code fid} and {@code is}
     * @param scheduler {@code euler}, {@code ddim} or {@code pndm}; null: the teacher's own
     * @param size of the pictures in pixels; null: {@code encode.resolution}
     * @param scoredSize to which they are brought before CLIP and Inception see them; null: 256, or {@code size} if that is less
     * @param seed picture i is drawn with {@code seed + i}
     * @param clip prefix of a {@code CLIPModel} folder in the store
     * @param inception key of {@code inception-2015-12-05.pt} in the store, which is a program
     * @param inceptionSha256 that this must have
     * @param realStatistics key of a {@code .npz} in the store that FID compares with; null: the held-out images
     */
    public record Evaluate(
            int images,
            List<String> scores,
            String scheduler,
            int steps,
            double guidance,
            Integer size,
            Integer scoredSize,
            long seed,
            String clip,
            String inception,
            String inceptionSha256,
            String realStatistics) {}

    /** Whether the student is to do what a teacher does. */
    public boolean distils() {
        return objective.equals("distill");
    }

    public boolean teachesSubject() {
        return objective.equals("dreambooth");
    }

    /** Where the pictures come from. */
    public String source() {
        return teachesSubject() ? subject.images() : dataset.source();
    }

    /** The field that says where. */
    public String sourceField() {
        return teachesSubject() ? "subject.images" : "dataset.source";
    }

    /** Whether a run may be called so: a DNS label. */
    public static boolean isRunName(String name) {
        return TrainRequestRules.isRun(name);
    }

    /**
     * Reads YAML or JSON and fills in the defaults.
     *
     * @throws InvalidRequestException naming every wrong field
     */
    public static TrainRequest parse(String yamlOrJson) {
        return TrainRequests.parse(yamlOrJson);
    }

    /** As {@link #parse(String)}, in UTF-8. */
    public static TrainRequest parse(byte[] yamlOrJson) {
        return parse(new String(yamlOrJson, StandardCharsets.UTF_8));
    }

    /**
     * This request with other values, which are not checked.
     *
     * @param mergePatch of this request's JSON (RFC 7396), such as {@code {"train": {"epochs": 60}}}
     */
    public TrainRequest patched(byte[] mergePatch) {
        try {
            JsonNode tree = EventJson.MAPPER.valueToTree(this);
            EventJson.MAPPER.readerForUpdating(tree).readValue(mergePatch);
            return EventJson.MAPPER.treeToValue(tree, TrainRequest.class);
        } catch (IOException e) {
            throw new UncheckedIOException("Not a merge patch of a train request", e);
        }
    }

    /** Every field in the order of this record: the same request has the same bytes. */
    public byte[] canonicalJson() {
        return EventJson.write(this);
    }
}
