package dev.distillery.trainer.run;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.Keys;
import dev.distillery.diffusion.distill.Distillation;
import dev.distillery.diffusion.unet.UNet2DCondition;
import dev.distillery.events.TrainRequest;

/** What teacher and student draw of the request's prompts, as PNGs in the store. What is there is not drawn again. */
final class Samples {

    private final ArtifactStore store;
    private final String run;
    private final int prompts;
    private final Distillation distillation;
    private final Painter painter;

    Samples(ArtifactStore store, TrainRequest request, Distillation distillation, Painter painter) {
        this.store = store;
        this.run = request.run();
        this.prompts = request.samples().prompts().size();
        this.distillation = distillation;
        this.painter = painter;
    }

    /** Draws the teacher's images, which no training changes. */
    void teacher() {
        draw(distillation.teacher(), "teacher");
    }

    /** Draws the student's images as it is now; empty when there is nothing to draw. */
    Optional<List<String>> student(int epoch) {
        return draw(distillation.student(), String.format("epoch-%04d", epoch));
    }

    private Optional<List<String>> draw(UNet2DCondition unet, String folder) {
        if (prompts == 0 || store.stat(key(folder, prompts - 1)).isPresent()) {
            return Optional.empty(); // the last one is there, so all are
        }
        List<byte[]> images = painter.paint(unet);
        List<String> keys = new ArrayList<>();
        for (int i = 0; i < prompts; i++) {
            store.put(key(folder, i), images.get(i));
            keys.add(key(folder, i));
        }
        return Optional.of(keys);
    }

    private String key(String folder, int prompt) {
        return Keys.samples(run) + String.format("%s/%02d.png", folder, prompt);
    }
}
