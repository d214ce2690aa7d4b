package dev.distillery.standalone;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;

import dev.distillery.events.TrainRequest;
import dev.distillery.standalone.console.UserException;

/** Requests as others have trained: {@code deploy/examples/presets}, packed into the jar. */
final class Presets {
    /** The jar cannot be asked for its files. */
    static final List<String> NAMES = List.of(
            "small-sdxl-pokemon",
            "tiny-sdxl-pokemon",
            "ssd-1b",
            "koala-700m",
            "bk-sdm-base",
            "bk-sdm-small",
            "bk-sdm-tiny");

    private Presets() {}

    /**
     * The file, with its comments.
     *
     * @throws UserException if there is no such preset
     */
    static String text(String name) {
        if (!NAMES.contains(name)) {
            throw UserException.badInput("There is no preset '" + name + "'; there are " + String.join(", ", NAMES));
        }
        try (InputStream in = Presets.class.getResourceAsStream("presets/" + name + ".yaml")) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** @param about its first line */
    record Preset(String name, String teacher, String layout, String dataset, String about) {
        static Preset of(String name) {
            String text = text(name);
            TrainRequest request = TrainRequest.parse(text);
            return new Preset(
                    name,
                    request.teacher().model(),
                    request.student().layout(),
                    request.dataset().source(),
                    text.lines().findFirst().orElse("").replaceFirst("^# ", ""));
        }
    }
}
