package dev.distillery.diffusion.distill;

import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.distillery.diffusion.safetensors.SafetensorsFile;
import dev.distillery.diffusion.schedule.NoiseSchedule;
import dev.distillery.diffusion.tensor.Precision;
import dev.distillery.diffusion.tensor.SafetensorsSource;
import dev.distillery.diffusion.tensor.SavedTensors;
import dev.distillery.diffusion.unet.UNetConfig;

/**
 * One distillation step on a given batch, written down whole: for anyone who wants to compare numbers with another
 * implementation. Nothing is learnt.
 *
 * <p>The batch file holds {@code latents}, {@code noise}, {@code timesteps}, {@code prompt_embeds} and, for SDXL,
 * {@code text_embeds} and {@code time_ids}. The answer holds {@code loss_sd} (task), {@code loss_kd} (output),
 * {@code loss_features}, {@code pred} (student), {@code target} (teacher) and {@code grad.KEY} of every parameter.
 */
public final class Replay {
    private Replay() {}

    /**
     * @param model a diffusers folder with {@code unet/} and {@code scheduler/}
     * @return the losses, with equal weights
     * @throws IllegalArgumentException if the layout is unknown, or the batch lacks a tensor or has one of a wrong shape
     */
    public static Losses step(Path model, String layout, Precision precision, Path batchFile, Path answerFile)
            throws IOException {
        var settings = new Distillation.Settings(
                Objective.PLAIN, AdamW.Settings.withWeightDecay(0), Optional.empty(), 1, precision, false);
        try (SafetensorsFile file = SafetensorsFile.open(batchFile);
                Distillation distillation = Distillation.create(
                        model.resolve("unet"),
                        Layouts.named(UNetConfig.read(model.resolve("unet")), layout),
                        new Distillation.Init.Teacher(),
                        settings,
                        NoiseSchedule.read(model.resolve("scheduler")));
                NDManager scope = distillation.newScope()) {
            Batch batch = Batch.of(batchFile, SafetensorsSource.loadAll(file, scope));
            Replica.Terms terms = distillation.backward(batch, 1, scope);
            var answer = new LinkedHashMap<String, NDArray>();
            answer.put("loss_sd", terms.task().reshape(1));
            answer.put("loss_kd", terms.output().reshape(1));
            answer.put("loss_features", terms.feature().reshape(1));
            answer.put("pred", terms.prediction());
            answer.put("target", terms.target());
            List<NDArray> gradients = distillation.gradients(scope);
            int i = 0;
            for (String key : distillation.student().parameters().keySet()) {
                answer.put("grad." + key, gradients.get(i++));
            }
            SavedTensors.write(answerFile, answer);
            return terms.losses(LossWeights.EQUAL);
        }
    }
}
