package dev.distillery.dataingest.source;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

import dev.distillery.dataingest.source.FileTree.Entry;

/** Images as files, with their captions in {@code metadata.jsonl} or {@code metadata.csv}, as Hugging Face's imagefolder. */
final class FolderPairs implements PairSource {
    private static final String FILE_NAME = "file_name";

    private final FileTree tree;
    private final List<Line> lines = new ArrayList<>();

    /** @param image path of the image in the tree; null if the line has none */
    private record Line(String where, String image, String caption) {}

    /** Reads all metadata: one line to an image, so that it is small beside the images. */
    FolderPairs(FileTree tree, List<Entry> metadata, String image, String caption) throws IOException {
        this.tree = tree;
        for (Entry file : metadata) {
            String folder = file.name().substring(0, file.name().lastIndexOf('/') + 1);
            List<Map<String, String>> rows;
            try (InputStream in = tree.open(file.name())) {
                rows = file.name().endsWith(".csv") ? MetadataLines.csv(in) : MetadataLines.jsonl(in, file.name());
            }
            Set<String> columns = new LinkedHashSet<>();
            rows.forEach(row -> columns.addAll(row.keySet()));
            String pathColumn = columns.contains(image) ? image : FILE_NAME;
            require(columns, pathColumn, "dataset.image", file.name());
            require(columns, caption, "dataset.caption", file.name());
            for (int i = 0; i < rows.size(); i++) {
                String path = rows.get(i).get(pathColumn);
                lines.add(new Line(
                        file.name() + " line " + (i + 1) + (path == null ? "" : " (" + path + ")"),
                        path == null ? null : folder + path,
                        rows.get(i).get(caption)));
            }
        }
    }

    private static void require(Set<String> columns, String column, String field, String file) throws SourceException {
        if (!columns.contains(column)) {
            throw new SourceException(
                    field, file + " has no field '" + column + "'; it has " + String.join(", ", columns));
        }
    }

    @Override
    public long size() {
        return lines.size();
    }

    @Override
    public Cursor from(long position) {
        return new Cursor() {
            private int next = (int) Math.min(position, lines.size());

            @Override
            public Pair next() throws IOException {
                if (next == lines.size()) {
                    return null;
                }
                Line line = lines.get(next++);
                return line.image() == null ? new Pair(line.where(), null, line.caption()) : pair(line);
            }

            @Override
            public void close() {
                // every image's file was closed when it was read
            }
        };
    }

    /** The metadata may name a file that is not there: one such line must not stop the others. */
    private Pair pair(Line line) throws IOException {
        try (InputStream in = tree.open(line.image())) {
            return ImageFiles.pair(line.where(), in, line.caption());
        } catch (NoSuchFileException | FileNotFoundException e) {
            return new Pair(line.where(), null, line.caption());
        }
    }
}
