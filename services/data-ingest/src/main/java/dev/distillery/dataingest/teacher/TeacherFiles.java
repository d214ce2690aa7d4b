package dev.distillery.dataingest.teacher;

import java.io.IOException;
import java.io.InputStream;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.artifacts.Digest;
import dev.distillery.dataingest.source.FileTree;
import dev.distillery.dataingest.source.SourceException;
import dev.distillery.diffusion.clip.ClipConfig;
import dev.distillery.diffusion.clip.PromptEncoder;
import dev.distillery.diffusion.unet.UNetConfig;
import dev.distillery.planning.MemoryCheck;

/**
 * The files that make a teacher, out of a diffusers folder and perhaps another auto-encoder.
 *
 * @param files by name in the teacher's folder in the store
 * @param unet the U-Net's configuration, which tells its family
 * @param textEncoders configurations of the text encoders, by their folders' names
 * @param vaeLevels resolutions of the auto-encoder
 */
public record TeacherFiles(
        Map<String, File> files, UNetConfig unet, Map<String, ClipConfig> textEncoders, int vaeLevels) {
    private static final String FORMAT = "teacher 1";
    private static final String MODEL = "teacher.model";
    private static final int MOST_LEVELS = 8;
    private static final ObjectMapper JSON = new ObjectMapper();

    /** A file in its tree. */
    public record File(FileTree tree, String name) {
        public InputStream open() throws IOException {
            return tree.open(name);
        }
    }

    /**
     * @param vae null to take the teacher's own
     * @param problems everything that is missing or unusable is added; if there is any, the result is null
     */
    public static TeacherFiles find(FileTree teacher, FileTree vae, List<SourceException> problems) throws IOException {
        int before = problems.size();
        var parts = new TeacherParts(teacher, "", MODEL, problems);
        parts.card();
        parts.require("model_index.json");
        parts.component("unet", true, "config.json");
        parts.component("scheduler", false, "scheduler_config.json");
        if (vae == null) {
            parts.component("vae", true, "config.json");
        }
        parts.component("text_encoder", true, "config.json");
        parts.component("tokenizer", false, "vocab.json", "merges.txt");
        UNetConfig unet = teacher.has("unet/config.json") ? unet(teacher, problems) : null;
        if (unet != null && unet.textTime().isPresent()) {
            parts.component("text_encoder_2", true, "config.json");
            parts.component("tokenizer_2", false, "vocab.json", "merges.txt");
        }
        var files = new LinkedHashMap<>(parts.files());
        if (vae != null) {
            files.putAll(other(vae, problems));
        }
        int levels = problems.size() > before ? 0 : levels(files.get("vae/config.json"), problems);
        var textEncoders = new LinkedHashMap<String, ClipConfig>();
        for (String folder : PromptEncoder.FOLDERS) {
            File config = files.get(folder + "/config.json");
            if (problems.size() == before && config != null) {
                textEncoders.put(folder, textEncoder(config, problems));
            }
        }
        return problems.size() > before ? null : new TeacherFiles(files, unet, textEncoders, levels);
    }

    private static ClipConfig textEncoder(File config, List<SourceException> problems) throws IOException {
        String what = config.tree().uri() + ": " + config.name();
        try (InputStream in = config.open()) {
            return ClipConfig.of(what, JSON.readTree(in));
        } catch (IllegalArgumentException e) {
            problems.add(new SourceException(MODEL, e.getMessage()));
            return null;
        } catch (JsonProcessingException e) {
            problems.add(new SourceException(MODEL, what + " is not JSON: " + e.getOriginalMessage()));
            return null;
        }
    }

    /** An auto-encoder's own folder, or a whole model's. */
    private static Map<String, File> other(FileTree vae, List<SourceException> problems) throws IOException {
        String prefix = vae.has("vae/config.json") ? "" : "vae/";
        var parts = new TeacherParts(vae, prefix, "teacher.vae", problems);
        parts.component("vae", true, "config.json");
        return parts.files();
    }

    private static UNetConfig unet(FileTree teacher, List<SourceException> problems) throws IOException {
        try (InputStream in = teacher.open("unet/config.json")) {
            return UNetConfig.of((ObjectNode) JSON.readTree(in));
        } catch (RuntimeException | JsonProcessingException e) {
            problems.add(new SourceException(
                    MODEL, teacher.uri() + ": unet/config.json is of no U-Net known here: " + e.getMessage()));
            return null;
        }
    }

    private static int levels(File config, List<SourceException> problems) throws IOException {
        String what = config.tree().uri() + ": " + config.name();
        try (InputStream in = config.open()) {
            int levels = JSON.readTree(in).path("block_out_channels").size();
            if (levels < 1 || levels > MOST_LEVELS) {
                problems.add(new SourceException(
                        MODEL, what + " must have 'block_out_channels' of 1 to " + MOST_LEVELS + " levels"));
            }
            return levels;
        } catch (JsonProcessingException e) {
            problems.add(new SourceException(MODEL, what + " is not JSON: " + e.getOriginalMessage()));
            return 0;
        }
    }

    /** Where it comes from, at the revision that was found. */
    public String source() {
        return files.get("unet/config.json").tree().pinnedUri();
    }

    /** Where its auto-encoder comes from. */
    public String vaeSource() {
        return files.get("vae/config.json").tree().pinnedUri();
    }

    /** Lets go of copies on this machine. */
    void release() throws IOException {
        for (File file : files.values()) {
            file.tree().release();
        }
    }

    /** Digest of every file's name and content. */
    public String fingerprint() throws IOException {
        var digest = new Digest().add(FORMAT);
        for (String name : files.keySet().stream().sorted().toList()) {
            digest.add(name).add(files.get(name).tree().digest(files.get(name).name()));
        }
        return digest.hex();
    }

    /** Whether training fits into a device's memory. */
    public MemoryCheck memoryCheck() {
        return new MemoryCheck(unet, textEncoders, pixelsPerLatent(), 1);
    }

    /** Sides of an image in those of its latents. */
    public int pixelsPerLatent() {
        return 1 << (vaeLevels - 1);
    }

    /** Images' sides must be a multiple of this, so that every level of both networks halves evenly. */
    public int pixelMultiple() {
        return pixelsPerLatent() << (unet.down().size() - 1);
    }
}
