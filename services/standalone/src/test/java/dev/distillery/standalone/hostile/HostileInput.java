package dev.distillery.standalone.hostile;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

/**
 * A row of the tables in {@code src/test/resources/hostile}: what somebody sends who means no good, and how it must be answered.
 * {@code {word}} in a text stands for a place (see {@link Scene}), {@code «x*1000»} for a thousand x.
 *
 * @param name the run's, unless {@code set} or {@code value} say otherwise
 * @param topic that it is sent to; train-requests if null
 * @param key of the record; the name if null
 * @param set fields of a good request that are replaced
 * @param value instead of a request: a text as it is, or JSON
 * @param bytes instead of a request, in base64
 * @param headers of the record
 * @param files by name, which the request's data set consists of
 * @param image a file that stands beside a good one in the data set
 * @param as name of {@code image}
 * @param teacher files that are others than in a good teacher
 * @param objects by key, which are in the store before
 * @param answer {@code rejected FIELD} (kept among the dead letters, too), {@code answered FIELD} (too large for them), {@code failed}, {@code skipped}, {@code ingested}, {@code dead letter} or {@code not sent}
 * @param says what the answer must contain; of {@code skipped}, the pairs that were passed over by reason
 */
record HostileInput(
        String name,
        String topic,
        String key,
        JsonNode set,
        JsonNode value,
        String bytes,
        Map<String, String> headers,
        Map<String, JsonNode> files,
        JsonNode image,
        String as,
        Map<String, JsonNode> teacher,
        Map<String, JsonNode> objects,
        String answer,
        String says) {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Path TABLES = Path.of("src/test/resources/hostile");

    HostileInput {
        topic = Objects.requireNonNullElse(topic, "train-requests");
        headers = Objects.requireNonNullElse(headers, Map.of());
        files = Objects.requireNonNullElse(files, Map.of());
        teacher = Objects.requireNonNullElse(teacher, Map.of());
        objects = Objects.requireNonNullElse(objects, Map.of());
        says = Objects.requireNonNullElse(says, "");
    }

    /** Those of every table. */
    static List<HostileInput> all() {
        try (Stream<Path> tables = Files.list(TABLES)) {
            return tables.sorted().flatMap(HostileInput::of).toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Stream<HostileInput> of(Path table) {
        try {
            return Files.readAllLines(table).stream()
                    .filter(line -> !line.isBlank())
                    .map(HostileInput::parse);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static HostileInput parse(String line) {
        try {
            return JSON.readValue(line, HostileInput.class);
        } catch (IOException e) {
            throw new UncheckedIOException(line, e);
        }
    }

    /** In a test's report. */
    @Override
    public String toString() {
        return name;
    }
}
