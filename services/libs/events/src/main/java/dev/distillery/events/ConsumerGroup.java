package dev.distillery.events;

import java.util.List;
import java.util.Locale;

/** Which service takes which topics; a group is named as its service. */
public enum ConsumerGroup {
    DATA_INGEST(Topic.TRAIN_REQUESTS),
    LATENT_ENCODING(Topic.SHARDS_INGESTED),
    TRAINER(Topic.DATASETS_ENCODED, Topic.RUN_CONTROL),
    CONVERTER(Topic.CHECKPOINTS, Topic.CONVERT_REQUESTS, Topic.MODELS_EVALUATED),
    EVALUATOR(Topic.EVALUATE_REQUESTS, Topic.MODELS_CONVERTED, Topic.EVALUATION_PARTS);

    private final List<Topic> topics;

    ConsumerGroup(Topic... topics) {
        this.topics = List.of(topics);
    }

    /** As Kafka knows it. */
    public String id() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    public List<Topic> topics() {
        return topics;
    }
}
