package dev.distillery.trainer.run;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.Keys;
import dev.distillery.diffusion.clip.PromptEncoder;
import dev.distillery.diffusion.distill.Distillation;
import dev.distillery.diffusion.distill.Ema;
import dev.distillery.diffusion.unet.UNet2DCondition;
import dev.distillery.events.TrainRequest;

/** What teacher and student draw of the request's prompts, as PNGs in the store. What is there is not drawn again. */
final class Samples {
    private static final String TEACHER = "teacher";

    private final ArtifactStore store;
    private final String run;
    private final int prompts;
    private final Distillation distillation;
    private final Painter painter;
    private final Base base;
    private final Runnable stillOurs;

    /**
     * @param stillOurs throws when the run's lease is lost; asked before images are written
     */
    Samples(
            ArtifactStore store,
            TrainRequest request,
            Distillation distillation,
            Painter painter,
            Base base,
            Runnable stillOurs) {
        this.store = store;
        this.run = request.run();
        this.prompts = request.samples().prompts().size();
        this.distillation = distillation;
        this.painter = painter;
        this.base = base;
        this.stillOurs = stillOurs;
    }

    /** Draws the images of what the run began with. */
    void teacher() {
        if (prompts == 0 || isThere(TEACHER)) {
            return;
        }
        base.with(network -> draw(network, Optional.empty(), TEACHER));
    }

    /** Draws the student's images as it is now, and those of its average; empty when there is nothing to draw. */
    List<String> student(int epoch) {
        String folder = String.format("epoch-%04d", epoch);
        List<String> keys = new ArrayList<>(drawStudent(folder));
        distillation.ema().ifPresent(ema -> {
            try (Ema.Applied applied = ema.apply()) {
                keys.addAll(drawStudent(folder + "-ema"));
            }
        });
        return keys;
    }

    private List<String> drawStudent(String folder) {
        return draw(distillation.student(), distillation.promptEncoder(), folder);
    }

    private List<String> draw(UNet2DCondition unet, Optional<PromptEncoder> trained, String folder) {
        if (prompts == 0 || isThere(folder)) {
            return List.of();
        }
        List<byte[]> images = painter.paint(unet, trained);
        stillOurs.run();
        List<String> keys = new ArrayList<>();
        for (int i = 0; i < prompts; i++) {
            store.put(key(folder, i), images.get(i));
            keys.add(key(folder, i));
        }
        return keys;
    }

    /** If the last one is there, all are. */
    private boolean isThere(String folder) {
        return store.stat(key(folder, prompts - 1)).isPresent();
    }

    private String key(String folder, int prompt) {
        return Keys.samples(run) + String.format("%s/%02d.png", folder, prompt);
    }
}
