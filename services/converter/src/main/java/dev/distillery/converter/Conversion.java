package dev.distillery.converter;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.Channels;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

import dev.distillery.artifacts.ArtifactWriter;
import dev.distillery.artifacts.Folders;
import dev.distillery.artifacts.Manifest;
import dev.distillery.artifacts.Manifests;
import dev.distillery.diffusion.distill.Student;
import dev.distillery.diffusion.lora.SavedLora;
import dev.distillery.diffusion.safetensors.DType;
import dev.distillery.diffusion.safetensors.PrettyJson;
import dev.distillery.diffusion.safetensors.SafetensorsFolder;
import dev.distillery.diffusion.safetensors.SavedWeights;
import dev.distillery.diffusion.schedule.NoiseSchedule;
import dev.distillery.diffusion.singlefile.ComfyUi;
import dev.distillery.diffusion.singlefile.Components;
import dev.distillery.diffusion.singlefile.SingleFile;
import dev.distillery.diffusion.unet.SavedUNet;
import dev.distillery.diffusion.unet.UNetConfig;
import org.jboss.logging.Logger;

/**
 * Makes of folders on this machine what other programs load, in a prefix of the store or in a folder. The weights stream
 * through one buffer, so a model of any size is converted in constant memory.
 *
 * @param name for people, and of the single file
 * @param description for people
 * @param unet folder of the U-Net, or of its LoRA
 * @param teacher folder with the other parts of a pipeline, and with the networks that a LoRA is for; null if neither is needed
 * @param resolution in pixels that it was trained for
 */
public record Conversion(String name, String description, Path unet, Path teacher, int resolution) {
    private static final Logger LOG = Logger.getLogger(Conversion.class);
    private static final String CONFIG = "config.json";
    private static final String UNET = "unet";

    /**
     * Writes everything and completes it.
     *
     * @param about for the manifest, beside what is told by the options
     * @throws IllegalArgumentException if the weights are not those of the config, or the type cannot hold one
     */
    public Manifest write(Options options, Map<String, Object> about, ArtifactWriter out) {
        return write(options, about, out, () -> {});
    }

    /** @param last writes what tells of the other files */
    Manifest write(Options options, Map<String, Object> about, ArtifactWriter out, Runnable last) {
        if (!SavedLora.isIn(unet)) {
            return writeWhole(new Components(teacher, Map.of(UNET, unet)), options, about, out, last);
        }
        if (teacher == null) {
            throw new IllegalArgumentException(unet + " holds a LoRA: the model that it was trained on is needed");
        }
        try (SavedLora lora = SavedLora.open(unet.resolve(SavedLora.FILE))) {
            Path merged = Files.createTempDirectory("merged");
            try {
                writeLora(lora, options, out);
                return writeWhole(merged(lora, merged), options, about, out, last);
            } finally {
                Folders.delete(merged);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The networks that a LoRA adapts, each with it in its weights, in folders below {@code to}. */
    private Components merged(SavedLora lora, Path to) throws IOException {
        Map<String, Path> networks = new TreeMap<>();
        for (String component : lora.loras().keySet()) {
            Path base = teacher.resolve(component);
            Path folder = Files.createDirectory(to.resolve(component));
            Files.copy(base.resolve(CONFIG), folder.resolve(CONFIG));
            lora.merge(component, base, folder.resolve(PipelineParts.fileOf(component)));
            networks.put(component, folder);
        }
        return new Components(teacher, networks);
    }

    /** Beside the networks that it is merged into: whoever has the model needs but this. */
    private void writeLora(SavedLora lora, Options options, ArtifactWriter out) {
        DType type = options.format().type();
        out.stream(SavedLora.FILE, to -> lora.write(Channels.newChannel(to), SavedLora.Naming.DIFFUSERS, type));
        if (options.saves(Options.KOHYA)) {
            out.stream(
                    SavedLora.kohyaFile(name), to -> lora.write(Channels.newChannel(to), SavedLora.Naming.KOHYA, type));
        }
    }

    private Manifest writeWhole(
            Components parts, Options options, Map<String, Object> about, ArtifactWriter out, Runnable last) {
        UNetConfig config = UNetConfig.read(parts.of(UNET));
        boolean comfyUi = ComfyUi.recognises(config);
        out.add("unet/config.json", PrettyJson.bytes(SavedUNet.config(config)));
        try (SafetensorsFolder weights = SafetensorsFolder.open(parts.of(UNET))) {
            List<String> keys = keys(config, weights);
            PipelineParts.write(
                    new SavedWeights(weights, keys, "diffusion_pytorch_model", options.format()), UNET, out);
        }
        var pipeline = new PipelineParts(parts);
        List<String> trained = parts.elsewhere().keySet().stream()
                .filter(component -> !component.equals(UNET))
                .sorted()
                .toList();
        if (options.saves(Options.PIPELINE)) {
            pipeline.write(options.format(), out);
        } else {
            trained.forEach(component -> pipeline.writeModel(component, options.format(), out));
        }
        if (options.saves(Options.SINGLE_FILE)) {
            if (!comfyUi) {
                LOG.warnf(
                        "ComfyUI does not recognise a U-Net of this layout in a single file; diffusers reads it with the folder"
                                + " as its config: name=%s description=%s",
                        name, description);
            }
            writeSingleFile(parts, options, out);
        }
        last.run();
        Map<String, Object> all = new TreeMap<>(about);
        all.putAll(options.about());
        all.put("comfyUi", comfyUi);
        all.put(Manifests.TRAINED_TEXT_ENCODERS, trained);
        all.put("parameters", Student.parameterCount(config));
        return out.complete("model", all);
    }

    /** In diffusers' order. */
    private List<String> keys(UNetConfig config, SafetensorsFolder weights) {
        List<String> keys = SavedUNet.keys(config);
        var missing = new TreeSet<>(keys);
        missing.removeAll(weights.tensors().keySet());
        var unexpected = new TreeSet<>(weights.tensors().keySet());
        keys.forEach(unexpected::remove);
        if (!missing.isEmpty() || !unexpected.isEmpty()) {
            throw new IllegalArgumentException(unet + ": the weights are not those of config.json: " + missing.size()
                    + " are missing, " + unexpected.size() + " are unexpected, such as "
                    + (missing.isEmpty() ? unexpected : missing).first());
        }
        return keys;
    }

    private void writeSingleFile(Components parts, Options options, ArtifactWriter out) {
        boolean velocity =
                NoiseSchedule.read(teacher.resolve("scheduler")).prediction() == NoiseSchedule.Prediction.V_PREDICTION;
        var about = new SingleFile.About(
                name, description, resolution, LocalDate.now(ZoneOffset.UTC).toString(), velocity);
        try (var file = new SingleFile(parts)) {
            out.stream(
                    name + ".safetensors",
                    to -> file.write(Channels.newChannel(to), options.format().type(), about));
        }
    }
}
