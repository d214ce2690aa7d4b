package dev.distillery.latentencoding;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Comparator;
import java.util.HexFormat;

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
        try {
            byte[] digest =
                    MessageDigest.getInstance("SHA-256").digest(text.toString().getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java runtime has SHA-256", e);
        }
    }
}
