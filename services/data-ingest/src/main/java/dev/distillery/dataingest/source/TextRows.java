package dev.distillery.dataingest.source;

import java.io.BufferedReader;
import java.io.FilterReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVRecord;

/** A table in a text file, row by row: {@code .jsonl}, or {@code .csv} and {@code .tsv} whose first line names the columns. */
final class TextRows implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();

    /** Lenient: a stray quote must not lose the rest of a list. */
    private static final CSVFormat CSV = CSVFormat.RFC4180
            .builder()
            .setHeader()
            .setSkipHeaderRecord(true)
            .setAllowMissingColumnNames(true)
            .setIgnoreEmptyLines(true)
            .setTrailingData(true)
            .setLenientEof(true)
            .get();

    private final Bounded text;
    private final Rows rows;

    private interface Rows {
        Map<String, String> next() throws IOException;
    }

    /** @param file name, by which its kind is known */
    TextRows(InputStream in, String file) throws IOException {
        text = new Bounded(new InputStreamReader(in, StandardCharsets.UTF_8), file);
        try {
            var reader = new BufferedReader(text);
            reader.mark(1);
            if (reader.read() != '\uFEFF') { // which some editors write before everything
                reader.reset();
            }
            rows = file.endsWith(".jsonl")
                    ? jsonl(reader, file)
                    : csv(
                            reader,
                            file.endsWith(".tsv")
                                    ? CSV.builder().setDelimiter('\t').get()
                                    : CSV);
        } catch (IOException | RuntimeException e) {
            in.close();
            throw e;
        }
    }

    /**
     * The fields of the next row that are text, by column; null at the end.
     *
     * @throws SourceException if it is no row; the next one may be
     */
    Map<String, String> next() throws IOException {
        text.sinceRow = 0;
        try {
            return rows.next();
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }

    private static Rows csv(Reader reader, CSVFormat format) throws IOException {
        Iterator<CSVRecord> records = format.parse(reader).iterator();
        return () -> records.hasNext() ? records.next().toMap() : null;
    }

    private static Rows jsonl(BufferedReader reader, String file) {
        int[] number = {0};
        return () -> {
            String line = reader.readLine();
            while (line != null && line.isBlank()) {
                line = reader.readLine();
            }
            number[0]++;
            return line == null ? null : fields(line, file + " line " + number[0]);
        };
    }

    private static Map<String, String> fields(String line, String where) throws SourceException {
        try {
            JsonNode object = JSON.readTree(line);
            if (object.isObject()) {
                var fields = new LinkedHashMap<String, String>();
                object.fields()
                        .forEachRemaining(f -> fields.put(
                                f.getKey(),
                                f.getValue().isTextual() ? f.getValue().asText() : null));
                return fields;
            }
        } catch (JsonProcessingException e) {
            // answered below
        }
        throw new SourceException("dataset.source", where + " is no JSON object: " + head(line));
    }

    private static String head(String line) {
        return line.length() > 60 ? line.substring(0, 60) + "..." : line;
    }

    @Override
    public void close() throws IOException {
        text.close();
    }

    /** A row that does not end, such as behind a quote that is never closed, would take all memory. */
    private static final class Bounded extends FilterReader {
        private static final int MOST = 16 << 20;

        private final String file;
        private int sinceRow;

        Bounded(Reader in, String file) {
            super(in);
            this.file = file;
        }

        @Override
        public int read(char[] target, int offset, int length) throws IOException {
            if (sinceRow > MOST) {
                throw new SourceException("dataset.source", file + " has a row of more than " + MOST + " characters");
            }
            int n = super.read(target, offset, length);
            sinceRow += Math.max(0, n);
            return n;
        }
    }
}
