package dev.distillery.dataingest.source;

import java.io.IOException;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

import dev.distillery.dataingest.source.FileTree.Entry;

/** Lists of images on the web and their captions: {@code .csv}, {@code .tsv} or {@code .jsonl}, with any names of columns. */
final class ListPairs implements PairSource {
    private static final int ROWS_LOOKED_AT = 100;

    private final FileTree tree;
    private final List<Entry> files;
    private final String image;
    private final Captions captions;

    /** Looks at the first file's first rows. */
    ListPairs(FileTree tree, List<Entry> files, String image, Captions captions) throws IOException {
        this.tree = tree;
        this.files = files;
        this.image = image;
        this.captions = captions;
        Set<String> columns = new LinkedHashSet<>();
        var links = new Links(image, files.get(0).name());
        try (TextRows rows = rows(files.get(0))) {
            Map<String, String> row = rows.next();
            for (int i = 0; i < ROWS_LOOKED_AT && row != null; i++) {
                columns.addAll(row.keySet());
                links.look(row.get(image));
                row = rows.next();
            }
        }
        require(columns, image, "dataset.image", files.get(0).name());
        for (String caption : captions.columns()) {
            require(columns, caption, "dataset.caption", files.get(0).name());
        }
        links.check();
    }

    /** @throws SourceException naming the columns that there are */
    static void require(Set<String> columns, String column, String field, String file) throws SourceException {
        if (!columns.contains(column)) {
            throw new SourceException(
                    field, file + " has no field '" + column + "'; it has " + String.join(", ", columns));
        }
    }

    private TextRows rows(Entry file) throws IOException {
        return new TextRows(tree.open(file.name()), file.name());
    }

    @Override
    public boolean hasLinks() {
        return true;
    }

    /** Of lists that lie elsewhere only the first is counted. */
    @Override
    public long size() throws IOException {
        long pairs = 0;
        for (Entry file : files) {
            try (var reading = new Reading(List.of(file))) {
                while (reading.next() != null) {
                    pairs++;
                }
            }
            if (!tree.isLocal()) {
                long all = files.stream().mapToLong(Entry::size).sum();
                return Math.round((double) pairs * all / Math.max(1, file.size()));
            }
        }
        return pairs;
    }

    @Override
    public Cursor from(long position) throws IOException {
        var reading = new Reading(files);
        for (long skipped = 0; skipped < position && reading.next() != null; skipped++) {
            // a text has no index
        }
        return reading;
    }

    private final class Reading implements Cursor {
        private final List<Entry> lists;
        private int list = -1;
        private long row;
        private TextRows rows;

        Reading(List<Entry> lists) {
            this.lists = lists;
        }

        @Override
        public Pair next() throws IOException {
            while (true) {
                try {
                    Map<String, String> fields = rows == null ? null : rows.next();
                    if (fields != null) {
                        return pair(fields);
                    }
                    close();
                    if (list + 1 == lists.size()) {
                        return null;
                    }
                    row = 0;
                    rows = rows(lists.get(++list));
                } catch (SourceException e) {
                    return Pair.unusable(where(""), "broken row", e.getMessage());
                }
            }
        }

        private Pair pair(Map<String, String> fields) {
            String link = fields.get(image);
            String where = where(link == null || link.isBlank() ? "" : " (" + link.strip() + ")");
            String caption = captions.choose(where, fields::get);
            return link == null || link.isBlank()
                    ? new Pair(where, null, caption)
                    : Pair.linked(where, link.strip(), caption);
        }

        private String where(String link) {
            return lists.get(list).name() + " row " + row++ + link;
        }

        @Override
        public void close() throws IOException {
            if (rows != null) {
                rows.close();
                rows = null;
            }
        }
    }
}
