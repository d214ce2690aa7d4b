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

    /** @param image path of the image in the tree, or its web address; null if the line has none */
    private record Line(String where, String image, String caption) {}

    /** Reads all metadata: one line to an image, so that it is small beside the images. */
    FolderPairs(FileTree tree, List<Entry> metadata, String image, Captions captions) throws IOException {
        this.tree = tree;
        for (Entry file : metadata) {
            String folder = file.name().substring(0, file.name().lastIndexOf('/') + 1);
            List<Map<String, String>> rows = rows(file.name());
            Set<String> columns = new LinkedHashSet<>();
            rows.forEach(row -> columns.addAll(row.keySet()));
            String pathColumn = columns.contains(image) ? image : FILE_NAME;
            ListPairs.require(columns, pathColumn, "dataset.image", file.name());
            for (String caption : captions.columns()) {
                ListPairs.require(columns, caption, "dataset.caption", file.name());
            }
            for (int i = 0; i < rows.size(); i++) {
                String path = rows.get(i).get(pathColumn);
                String where = file.name() + " line " + (i + 1) + (path == null ? "" : " (" + path + ")");
                lines.add(new Line(
                        where,
                        path == null || Links.isLink(path) ? path : folder + path,
                        captions.choose(where, rows.get(i)::get)));
            }
        }
    }

    private List<Map<String, String>> rows(String file) throws IOException {
        List<Map<String, String>> all = new ArrayList<>();
        try (TextRows rows = new TextRows(tree.open(file), file)) {
            for (Map<String, String> row = rows.next(); row != null; row = rows.next()) {
                all.add(row);
            }
        }
        return all;
    }

    @Override
    public boolean hasLinks() {
        return lines.stream().anyMatch(line -> line.image() != null && Links.isLink(line.image()));
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
                if (line.image() == null) {
                    return new Pair(line.where(), null, line.caption());
                }
                return Links.isLink(line.image())
                        ? Pair.linked(line.where(), line.image(), line.caption())
                        : pair(line);
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
            return ImageFiles.pair(line.where(), in, tree.size(line.image()), line.caption());
        } catch (NoSuchFileException | FileNotFoundException e) {
            return new Pair(line.where(), null, line.caption());
        }
    }
}
