package dev.distillery.dataingest.source;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVParser;
import org.apache.commons.csv.CSVRecord;

/** The fields of each line that are text. */
final class MetadataLines {
    private static final ObjectMapper JSON = new ObjectMapper();

    private MetadataLines() {}

    /** @throws SourceException naming the first line that is no JSON object */
    static List<Map<String, String>> jsonl(InputStream in, String file) throws IOException {
        var rows = new ArrayList<Map<String, String>>();
        var reader = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8));
        for (String line = reader.readLine(); line != null; line = reader.readLine()) {
            if (!line.isBlank()) {
                rows.add(fields(line, file, rows.size() + 1));
            }
        }
        return rows;
    }

    private static Map<String, String> fields(String line, String file, int number) throws SourceException {
        try {
            JsonNode object = JSON.readTree(line);
            if (object.isObject()) {
                var fields = new LinkedHashMap<String, String>();
                object.fields().forEachRemaining(f -> {
                    fields.put(
                            f.getKey(), f.getValue().isTextual() ? f.getValue().asText() : null);
                });
                return fields;
            }
        } catch (JsonProcessingException e) {
            // answered below
        }
        throw new SourceException("dataset.source", file + " line " + number + " is no JSON object: " + head(line));
    }

    private static String head(String line) {
        return line.length() > 60 ? line.substring(0, 60) + "..." : line;
    }

    static List<Map<String, String>> csv(InputStream in) throws IOException {
        CSVFormat format = CSVFormat.RFC4180
                .builder()
                .setHeader()
                .setSkipHeaderRecord(true)
                .setIgnoreEmptyLines(true)
                .get();
        try (CSVParser parser = format.parse(new InputStreamReader(in, StandardCharsets.UTF_8))) {
            return parser.stream().map(CSVRecord::toMap).toList();
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }
}
