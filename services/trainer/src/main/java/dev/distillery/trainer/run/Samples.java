package dev.distillery.trainer.run;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.Keys;
import dev.distillery.diffusion.distill.Distillation;
import dev.distillery.diffusion.unet.UNet2DCondition;
import dev.distillery.events.TrainRequest;

/**
 * What teacher and student draw of the request's prompts, as PNGs in the store. Image i of both begins from the same
 * noise, seed + i. What is there already is not drawn again.
 */
final class Samples implements AutoCloseable {

    private final ArtifactStore store;
    private final String run;
    private final TrainRequest.Samples request;
    private final Distillation distillation;
    private final Painter painter;

    Samples(ArtifactStore store, TrainRequest request, Distillation distillation, Painter painter) {
        this.store = store;
        this.run = request.run();
        this.request = request.samples();
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
        List<String> prompts = request.prompts();
        List<String> keys = new ArrayList<>();
        boolean drawn = false;
        for (int i = 0; i < prompts.size(); i++) {
            String key = Keys.samples(run) + String.format("%s/%02d.png", folder, i);
            if (store.stat(key).isEmpty()) {
                store.put(key, painter.paint(unet, prompts.get(i), request.seed() + i));
                drawn = true;
            }
            keys.add(key);
        }
        return drawn ? Optional.of(keys) : Optional.empty();
    }

    @Override
    public void close() {
        painter.close();
    }
}
