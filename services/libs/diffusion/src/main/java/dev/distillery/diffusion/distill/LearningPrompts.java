package dev.distillery.diffusion.distill;

import java.util.Arrays;
import java.util.List;
import java.util.Map;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import dev.distillery.diffusion.clip.PromptEncoder;
import dev.distillery.diffusion.tensor.Ops;
import dev.distillery.diffusion.tensor.Precision;

/** The few prompts of a run whose text encoders learn. One thread at a time. */
final class LearningPrompts implements AutoCloseable {
    private final PromptEncoder encoder;
    private final List<String> prompts;

    /** @param manager owner of the encoders' weights and adapters */
    LearningPrompts(TextLora text, long seed, Precision precision, NDManager manager) {
        encoder = PromptEncoder.adapted(text.pipeline(), text.lora(), seed, precision, manager);
        prompts = text.prompts();
    }

    PromptEncoder encoder() {
        return encoder;
    }

    Map<String, NDArray> adapters() {
        return encoder.adapters();
    }

    /** The batch with its prompts as the encoders see them now, each prompt encoded once; in {@code scope}. */
    Batch encoded(Batch batch, NDManager scope) {
        int[] used = Arrays.stream(batch.prompts()).distinct().sorted().toArray();
        PromptEncoder.Prompts distinct =
                encoder.trace(Arrays.stream(used).mapToObj(prompts::get).toList(), scope);
        NDArray rows = rows(batch.prompts(), used, scope);
        NDArray pooled = distinct.pooled() == null ? null : Ops.call("chosen", distinct.pooled(), rows);
        return batch.with(new PromptEncoder.Prompts(Ops.call("chosen", distinct.promptEmbeds(), rows), pooled));
    }

    /** (B, K), a 1 where a sample's prompt is. */
    private static NDArray rows(int[] ofSamples, int[] used, NDManager scope) {
        float[] rows = new float[ofSamples.length * used.length];
        for (int i = 0; i < ofSamples.length; i++) {
            rows[i * used.length + Arrays.binarySearch(used, ofSamples[i])] = 1;
        }
        return scope.create(rows, new Shape(ofSamples.length, used.length));
    }

    @Override
    public void close() {
        encoder.close();
    }
}
