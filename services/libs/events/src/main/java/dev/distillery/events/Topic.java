package dev.distillery.events;

import java.util.Locale;

/** The topics; a deployment's prefix (default {@code distillery.}) comes before their names. */
public enum Topic {
    TRAIN_REQUESTS,
    CONVERT_REQUESTS,
    EVALUATE_REQUESTS,
    SHARDS_INGESTED,
    DATASETS_ENCODED,
    CHECKPOINTS,
    MODELS_CONVERTED,
    EVALUATION_PARTS,
    MODELS_EVALUATED,
    RUN_EVENTS,
    RUN_CONTROL,
    DEAD_LETTERS;

    public static final String DEFAULT_PREFIX = "distillery.";

    /** Without prefix, such as {@code train-requests}; channels are named so too. */
    public String channel() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    public String topic(String prefix) {
        return prefix + channel();
    }
}
