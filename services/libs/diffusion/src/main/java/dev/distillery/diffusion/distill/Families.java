package dev.distillery.diffusion.distill;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.diffusion.unet.UNetConfig;

/** The U-Nets of Stable Diffusion by family: their Hub repositories' configs, cut to the keys that define the network. */
public final class Families {
    public static final List<String> NAMES = List.of("sdxl", "sd1", "sd2");

    private Families() {}

    /** @throws IllegalArgumentException saying which there are */
    public static UNetConfig unet(String family) {
        if (!NAMES.contains(family)) {
            throw new IllegalArgumentException("no family '" + family + "'; there are " + String.join(", ", NAMES));
        }
        try (InputStream json = Families.class.getResourceAsStream(family + ".json")) {
            return UNetConfig.of((ObjectNode) new ObjectMapper().readTree(json));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
