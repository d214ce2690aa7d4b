package dev.distillery.dataingest;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

import dev.distillery.hub.HubServer;

/** A Hub of the examples beside the broker and the store. */
public class Infrastructure extends dev.distillery.testing.Infrastructure {
    private static final Path EXAMPLES = Path.of("../../deploy/examples");

    private HubServer hub;

    @Override
    public Map<String, String> start() {
        Map<String, String> settings = super.start();
        hub = new HubServer();
        settings.put("hf.endpoint", hub.endpoint());
        settings.put("distillery.sources.private-addresses", "true"); // the tests' own servers
        settings.put("distillery.sources.plain-http", "true");
        settings.put("distillery.sources.pause", "10ms");
        settings.put(
                "distillery.sources.folders",
                EXAMPLES.toAbsolutePath().normalize() + "," + System.getProperty("java.io.tmpdir"));
        try {
            hub.add("models/distillery/mini-sdxl", files(EXAMPLES.resolve("mini-sdxl")));
            hub.add("datasets/distillery/noto-emoji", files(EXAMPLES.resolve("noto-emoji")));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return settings;
    }

    private static Map<String, byte[]> files(Path folder) throws IOException {
        Map<String, byte[]> files = new TreeMap<>();
        try (Stream<Path> walk = Files.walk(folder)) {
            for (Path file : walk.filter(Files::isRegularFile).toList()) {
                files.put(folder.relativize(file).toString(), Files.readAllBytes(file));
            }
        }
        return files;
    }

    @Override
    public void stop() {
        hub.close();
        super.stop();
    }
}
