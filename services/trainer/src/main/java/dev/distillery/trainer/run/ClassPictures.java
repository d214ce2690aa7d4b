package dev.distillery.trainer.run;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import dev.distillery.artifacts.ArtifactCorruptException;
import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.Digest;
import dev.distillery.artifacts.Keys;
import dev.distillery.artifacts.ObjectInfo;
import dev.distillery.diffusion.clip.PromptEncoder;
import dev.distillery.diffusion.image.ImageDecodingException;
import dev.distillery.diffusion.image.RgbImage;
import dev.distillery.diffusion.sample.TextToImage;
import dev.distillery.diffusion.tensor.Torch;
import dev.distillery.diffusion.unet.UNet2DCondition;
import dev.distillery.diffusion.vae.AutoencoderKL;
import dev.distillery.events.TrainRequest;
import dev.distillery.trainer.data.Prior;
import dev.distillery.trainer.run.RunControls.Stop;

/**
 * Pictures of a subject's class, drawn by what the run begins with. They are PNGs in the store below a digest of what they
 * depend on, so each is drawn once for all runs that ask for it: picture i has the request's {@code samples.seed + i} and depends
 * on nothing of the others.
 */
final class ClassPictures implements AutoCloseable {
    private static final String FORMAT = "class pictures 1";

    private final ArtifactStore store;
    private final TrainRequest request;
    private final TeacherFolder teacher;
    private final String prefix;
    private final RunControls controls;
    private final TrainingObserver observer;
    private TextToImage pipeline; // null until it is needed

    /** @param model fingerprint of the teacher */
    ClassPictures(
            ArtifactStore store,
            TrainRequest request,
            String model,
            TeacherFolder teacher,
            RunControls controls,
            TrainingObserver observer) {
        this.store = store;
        this.request = request;
        this.teacher = teacher;
        this.controls = controls;
        this.observer = observer;
        TrainRequest.Samples samples = request.samples();
        prefix = Keys.classPictures(new Digest()
                .add(FORMAT)
                .add(model)
                .add(request.subject().classPrompt())
                .add(request.encode().resolution())
                .add(samples.steps())
                .add(samples.guidance())
                .add(samples.seed())
                .hex());
    }

    /**
     * Draws those that the store lacks.
     *
     * @return why it stopped before it had them all
     */
    Optional<Stop> draw(Base base) {
        Set<String> there = store.list(prefix).stream().map(ObjectInfo::key).collect(Collectors.toSet());
        List<Integer> missing = new ArrayList<>();
        for (int i = 0; i < request.subject().classImages(); i++) {
            if (!there.contains(key(i))) {
                missing.add(i);
            }
        }
        return missing.isEmpty() ? Optional.empty() : base.with(network -> draw(network, missing));
    }

    private Optional<Stop> draw(UNet2DCondition network, List<Integer> missing) {
        int all = request.subject().classImages();
        int done = all - missing.size();
        try (NDManager scope = Torch.newManager()) {
            observer.classPicture(done, all);
            for (int i : missing) {
                Optional<Stop> stop = controls.stop();
                if (stop.isPresent()) {
                    return stop;
                }
                var settings =
                        Painter.settings(request.samples(), request.subject().classPrompt(), px(), i);
                byte[] png = Painter.draw(pipeline(), network, pipeline().promptEncoder(), settings, scope);
                controls.ensureOurs();
                store.put(key(i), png);
                observer.classPicture(++done, all);
            }
        }
        return Optional.empty();
    }

    private TextToImage pipeline() {
        if (pipeline == null) {
            pipeline = TextToImage.load(teacher.path());
        }
        return pipeline;
    }

    private int px() {
        return request.encode().resolution();
    }

    /**
     * The pictures and their caption, encoded.
     *
     * @param file that is written
     */
    Prior encode(Path file) throws IOException {
        AutoencoderKL vae = pipeline().vae();
        try (NDManager scope = Torch.newManager();
                Torch.GradMode off = Torch.gradMode(false)) {
            PromptEncoder.Prompts text = pipeline()
                    .promptEncoder()
                    .encode(List.of("", request.subject().classPrompt()), scope);
            float[] pooled =
                    text.pooled() == null ? new float[0] : text.pooled().toFloatArray();
            var caption = new Prior.Caption(
                    text.promptEmbeds().toFloatArray(),
                    text.promptEmbeds().getShape().getShape(),
                    pooled);
            int latent = px() / vae.config().scale();
            List<Prior.Picture> pictures = new ArrayList<>();
            for (int i = 0; i < request.subject().classImages(); i++) {
                controls.ensureOurs();
                pictures.add(encode(key(i), vae));
            }
            return Prior.of(
                    file,
                    pictures,
                    new long[] {vae.config().latentChannels(), latent, latent},
                    caption,
                    px(),
                    request.subject().priorWeight(),
                    request.train().batch() * request.train().accumulate());
        }
    }

    private Prior.Picture encode(String key, AutoencoderKL vae) {
        int px = px();
        float[] pixels = new float[3 * px * px];
        try {
            RgbImage picture = RgbImage.decode(store.read(key));
            if (picture.width() != px || picture.height() != px) {
                throw damaged(key, "it is " + picture.width() + " x " + picture.height() + " pixels, not " + px);
            }
            picture.toChw(pixels, 0);
        } catch (ImageDecodingException e) {
            throw damaged(key, e.getMessage());
        }
        try (NDManager scope = Torch.newManager()) {
            AutoencoderKL.Posterior posterior = vae.encode(scope.create(pixels, new Shape(1, 3, px, px)));
            return new Prior.Picture(
                    posterior.mean().toFloatArray(), posterior.std().toFloatArray());
        }
    }

    private static ArtifactCorruptException damaged(String key, String how) {
        return new ArtifactCorruptException(key + ": " + how + "; delete it, and it is drawn again");
    }

    @Override
    public void close() {
        if (pipeline != null) {
            pipeline.close();
        }
    }

    private String key(int picture) {
        return prefix + String.format("%05d.png", picture);
    }
}
