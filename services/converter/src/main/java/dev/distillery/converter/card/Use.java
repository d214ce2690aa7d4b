package dev.distillery.converter.card;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

import com.fasterxml.jackson.databind.node.TextNode;
import dev.distillery.converter.report.RunRecord;
import dev.distillery.diffusion.lora.SavedLora;

/** How to load a converted model. */
record Use(RunRecord record, Converted model) {
    private static final Map<String, String> TORCH_TYPES =
            Map.of("fp32", "torch.float32", "fp16", "torch.float16", "bf16", "torch.bfloat16");

    String markdown() {
        List<String> ways = new ArrayList<>();
        if (model.save().contains("pipeline")) {
            ways.add(Markdown.block(
                    "python", imports("DiffusionPipeline") + "pipe = " + pipeline(repository(), variant()) + draw()));
            ways.add(
                    trainedTextEncoders().isEmpty()
                            ? "Or the U-Net alone, in the teacher's pipeline:"
                            : "Or the U-Net and its text encoders, in the teacher's pipeline:");
        }
        ways.add(Markdown.block("python", unet()));
        if (model.files().contains(SavedLora.FILE)) {
            ways.add(
                    trainedTextEncoders().isEmpty()
                            ? "The LoRA alone, which that U-Net has in its weights already:"
                            : "The LoRA alone, which they have in their weights already:");
            ways.add(Markdown.block("python", lora()));
        }
        String kohya = SavedLora.kohyaFile(record.run());
        if (model.files().contains(kohya)) {
            ways.add(Markdown.code(kohya) + " is the same by kohya's keys, for ComfyUI and others.");
        }
        if (model.save().contains("single-file")) {
            ways.add(Markdown.code(record.run() + ".safetensors")
                    + " is the whole pipeline in one file, by the keys of the original Stable Diffusion code.");
        }
        return String.join("\n\n", ways);
    }

    private String unet() {
        String teacher = Origin.of(record.text("teacher", "model")).loadable();
        Optional<String> vae = Optional.of(record.text("teacher", "vae")).filter(uri -> !uri.matches("|null"));
        String text = imports(
                vae.isPresent()
                        ? "AutoencoderKL, DiffusionPipeline, UNet2DConditionModel"
                        : "DiffusionPipeline, UNet2DConditionModel",
                trainedTextEncoders().values());
        text += "unet = UNet2DConditionModel.from_pretrained(" + quoted(repository()) + ", subfolder=\"unet\""
                + variant() + type() + ")\n";
        String parts = ", unet=unet";
        if (vae.isPresent()) {
            text += "vae = AutoencoderKL.from_pretrained("
                    + quoted(Origin.of(vae.get()).loadable()) + type() + ")\n";
            parts += ", vae=vae";
        }
        for (Map.Entry<String, String> encoder : trainedTextEncoders().entrySet()) {
            text += encoder.getKey() + " = " + encoder.getValue() + ".from_pretrained(" + quoted(repository())
                    + ", subfolder=" + quoted(encoder.getKey()) + variant() + type() + ")\n";
            parts += ", " + encoder.getKey() + "=" + encoder.getKey();
        }
        return text + "pipe = " + pipeline(teacher, parts) + draw();
    }

    private String lora() {
        return imports("DiffusionPipeline") + "pipe = "
                + pipeline(Origin.of(record.text("teacher", "model")).loadable(), "") + "pipe.load_lora_weights("
                + quoted(repository()) + ")\n";
    }

    /** Transformers' class by the folder's name; empty if the teacher's are used. */
    private Map<String, String> trainedTextEncoders() {
        var encoders = new TreeMap<String, String>();
        if (record.trainsTextEncoders()) {
            encoders.put("text_encoder", "CLIPTextModel");
            if (model.files().contains("text_encoder_2/config.json")) {
                encoders.put("text_encoder_2", "CLIPTextModelWithProjection");
            }
        }
        return encoders;
    }

    private static String imports(String names) {
        return imports(names, List.of());
    }

    private static String imports(String names, Collection<String> transformers) {
        return "import torch\nfrom diffusers import " + names
                + (transformers.isEmpty() ? "" : "\nfrom transformers import " + String.join(", ", transformers))
                + "\n\n";
    }

    private String pipeline(String of, String more) {
        return "DiffusionPipeline.from_pretrained(" + quoted(of) + more + type() + ")\n";
    }

    private String draw() {
        var samples = record.request().path("samples");
        String prompt =
                record.prompts().stream().findFirst().or(record::subjectPrompt).orElse("a prompt");
        return "image = pipe(" + quoted(prompt) + ", num_inference_steps="
                + samples.path("steps").asText() + ", guidance_scale="
                + samples.path("guidance").asText() + ", height="
                + samples.path("size").asText() + ", width="
                + samples.path("size").asText() + ").images[0]\n";
    }

    /** Where the card is read is not known to it. */
    private String repository() {
        return "OWNER/" + record.run();
    }

    private String type() {
        return ", torch_dtype=" + TORCH_TYPES.get(model.dtype());
    }

    private String variant() {
        String named = "." + model.dtype() + ".";
        boolean variant = model.files().stream().anyMatch(name -> name.startsWith("unet/") && name.contains(named));
        return variant ? ", variant=" + quoted(model.dtype()) : "";
    }

    /** A string of JSON is one of Python. */
    private static String quoted(String text) {
        return TextNode.valueOf(text).toString();
    }
}
