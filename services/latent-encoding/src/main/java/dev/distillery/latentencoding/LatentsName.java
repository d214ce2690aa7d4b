package dev.distillery.latentencoding;

import java.nio.charset.StandardCharsets;
import java.util.Comparator;

import dev.distillery.artifacts.Digest;
import dev.distillery.artifacts.Manifest;
import dev.distillery.artifacts.Manifest.FileEntry;

/** Fingerprint of latents: runs that differ in nothing that latents depend on share them. */
final class LatentsName {
    private static final String FORMAT = "latents 4";

    private LatentsName() {}

    /**
     * @param dataset fingerprint
     * @param model of which the auto-encoder, the text encoders and the tokenizers count; another U-Net changes nothing
     */
    static String of(String dataset, Manifest model, EncodeSettings settings) {
        var text = new StringBuilder(FORMAT).append('\n').append(dataset).append('\n');
        text.append(settings).append('\n');
        model.files().stream()
                .filter(file -> file.name().matches("(vae|text_encoder(_2)?|tokenizer(_2)?)/.*"))
                .sorted(Comparator.comparing(FileEntry::name))
                .forEach(file -> text.append(file.name())
                        .append(' ')
                        .append(file.sha256())
                        .append('\n'));
        return Digest.of(text.toString().getBytes(StandardCharsets.UTF_8));
    }
}
