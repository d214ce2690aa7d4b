package dev.distillery.standalone.hostile;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.diffusion.image.RgbImage;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarConstants;

/** What an input needs around it: files on the machine of data-ingest, and texts too long for a table. */
final class Scene {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Pattern REPEATED = Pattern.compile("«(.+?)\\*(\\d+)»", Pattern.DOTALL);

    private final Path folder;
    private final Path teacher;
    private final Map<String, String> words;

    /**
     * @param folder of this input
     * @param teacher a good one
     * @param places by word
     */
    Scene(Path folder, Path teacher, Map<String, Path> places) {
        this.folder = folder;
        this.teacher = teacher;
        this.words = new TreeMap<>(Map.of("here", folder.toString(), "mini", teacher.toString()));
        places.forEach((word, place) -> words.put(word, place.toString()));
    }

    /** A text with its placeholders replaced. */
    String text(String text) {
        for (Map.Entry<String, String> word : words.entrySet()) {
            text = text.replace("{" + word.getKey() + "}", word.getValue());
        }
        return REPEATED.matcher(text)
                .replaceAll(m -> Matcher.quoteReplacement(m.group(1).repeat(Integer.parseInt(m.group(2)))));
    }

    void files(Map<String, JsonNode> files) throws Exception {
        for (Map.Entry<String, JsonNode> file : files.entrySet()) {
            file(folder.resolve(file.getKey()), file.getValue());
        }
    }

    /** A data set of a good pair and of this one. */
    void image(String name, JsonNode image) throws Exception {
        file(folder.resolve("good.png"), JSON.readTree("{\"png\": true}"));
        Files.writeString(folder.resolve("good.txt"), "a good picture");
        file(folder.resolve(name), image);
        Files.writeString(folder.resolve(name.substring(0, name.lastIndexOf('.')) + ".txt"), "a bad picture");
    }

    /** A folder as the good teacher's, with some other files; one that is null is left out. */
    Path teacher(Map<String, JsonNode> others) throws Exception {
        Path made = folder.resolve("teacher");
        try (Stream<Path> files = Files.walk(teacher)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Path link = made.resolve(teacher.relativize(file).toString());
                Files.createDirectories(link.getParent());
                Files.createSymbolicLink(link, file);
            }
        }
        for (Map.Entry<String, JsonNode> file : others.entrySet()) {
            Files.deleteIfExists(made.resolve(file.getKey()));
            if (!file.getValue().isNull()) {
                file(made.resolve(file.getKey()), file.getValue());
            }
        }
        return made;
    }

    private void file(Path file, JsonNode recipe) throws Exception {
        Files.createDirectories(file.getParent());
        if (recipe.has("link")) {
            Files.createSymbolicLink(file, Path.of(text(recipe.get("link").asText())));
        } else if (recipe.has("zeros")) {
            try (var sparse = new RandomAccessFile(file.toFile(), "rw")) {
                sparse.setLength(recipe.get("zeros").asLong());
            }
        } else if (recipe.has("parquet")) {
            try (var db = DriverManager.getConnection("jdbc:duckdb:");
                    var statement = db.createStatement()) {
                statement.execute("COPY (" + recipe.get("parquet").asText() + ") TO '" + file + "' (FORMAT parquet)");
            }
        } else {
            Files.write(file, content(recipe));
        }
    }

    byte[] content(JsonNode recipe) throws IOException {
        if (recipe.isTextual()) {
            return text(recipe.asText()).getBytes(StandardCharsets.UTF_8);
        }
        if (recipe.has("base64")) {
            return Base64.getDecoder().decode(recipe.get("base64").asText());
        }
        if (recipe.has("gzip")) {
            byte[] packed = Base64.getDecoder().decode(recipe.get("gzip").asText());
            return new GZIPInputStream(new ByteArrayInputStream(packed)).readAllBytes();
        }
        if (recipe.has("png")) {
            return new RgbImage(2, 2, new byte[12]).png();
        }
        if (recipe.has("safetensors")) {
            return safetensors(recipe.get("safetensors"));
        }
        if (recipe.has("tar")) {
            return tar(recipe.get("tar"));
        }
        if (recipe.has("of")) {
            return changed(Files.readAllBytes(Path.of(text(recipe.get("of").asText()))), recipe);
        }
        return JSON.writeValueAsBytes(JSON.readTree(text(recipe.toString()))); // a JSON file
    }

    /** A file that is there, cut off, or with other fields. */
    private byte[] changed(byte[] original, JsonNode how) throws IOException {
        if (how.has("cut")) {
            return Arrays.copyOf(original, how.get("cut").asInt());
        }
        ObjectNode json = (ObjectNode) JSON.readTree(original);
        json.setAll((ObjectNode) JSON.readTree(text(how.get("set").toString())));
        return JSON.writeValueAsBytes(json);
    }

    /** Length of the header as it is, or as the table lies; then zeros. */
    private byte[] safetensors(JsonNode how) {
        byte[] header = text(how.path("header").asText()).getBytes(StandardCharsets.UTF_8);
        long length =
                how.has("length") ? Long.parseUnsignedLong(how.get("length").asText()) : header.length;
        return ByteBuffer.allocate(8 + header.length + how.path("zeros").asInt())
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(length)
                .put(header)
                .array();
    }

    /** Entries one by one, as no tool would write them: a size may be claimed that does not follow. */
    private byte[] tar(JsonNode entries) throws IOException {
        var bytes = new ByteArrayOutputStream();
        for (JsonNode how : entries) {
            byte[] content = how.has("content") ? content(how.get("content")) : new byte[0];
            var entry = new TarArchiveEntry(text(how.get("name").asText()), true);
            entry.setSize(how.has("size") ? how.get("size").asLong() : content.length);
            if (how.has("link")) {
                entry = new TarArchiveEntry(text(how.get("name").asText()), TarConstants.LF_SYMLINK, true);
                entry.setLinkName(text(how.get("link").asText()));
            }
            byte[] header = new byte[512];
            entry.writeEntryHeader(header);
            bytes.write(header);
            bytes.write(content);
            bytes.write(new byte[(512 - content.length % 512) % 512]);
        }
        bytes.write(new byte[1024]);
        return bytes.toByteArray();
    }

    static List<Path> files(Path folder) throws IOException {
        try (Stream<Path> all = Files.walk(folder)) {
            return all.filter(file -> !Files.isDirectory(file)).sorted().toList();
        }
    }
}
