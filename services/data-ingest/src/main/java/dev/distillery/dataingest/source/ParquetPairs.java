package dev.distillery.dataingest.source;

import java.io.IOException;
import java.nio.file.Path;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

import dev.distillery.dataingest.source.FileTree.Entry;
import dev.distillery.dataingest.source.FileTree.LocalFile;

/** Hugging Face's image-text parquet: the image a struct of {@code bytes} and {@code path}, plain bytes, or its web address; the caption text. */
final class ParquetPairs implements PairSource {
    private final FileTree tree;
    private final List<Entry> files;
    private final Captions captions;
    private final ParquetColumns columns;

    /** Reads the first file's schema. */
    ParquetPairs(FileTree tree, List<Entry> files, String image, Captions captions) throws IOException {
        this.tree = tree;
        this.files = files;
        this.captions = captions;
        try (LocalFile first = tree.local(files.get(0).name());
                DuckDb db = new DuckDb(files.get(0).name())) {
            this.columns = ParquetColumns.find(db.columns(first.path()), image, captions, tree.uri());
            if (columns.links()) {
                checkLinks(db, first.path(), new Links(image, files.get(0).name()));
            }
        }
    }

    private void checkLinks(DuckDb db, Path file, Links links) throws IOException {
        try (ResultSet rows = db.select(columns, file, 0)) {
            for (int i = 0; i < 100 && rows.next(); i++) {
                links.look(rows.getString(2));
            }
        } catch (SQLException e) {
            throw new SourceException("dataset.source", e.getMessage());
        }
        links.check();
    }

    @Override
    public boolean hasLinks() {
        return columns.links();
    }

    @Override
    public long size() throws IOException {
        long rows = 0;
        long bytes = 0;
        for (Entry file : files) {
            rows += rows(file);
            bytes += file.size();
            if (!tree.isLocal()) {
                long allBytes = files.stream().mapToLong(Entry::size).sum();
                return Math.round((double) rows * allBytes / Math.max(1, bytes));
            }
        }
        return rows;
    }

    private long rows(Entry file) throws IOException {
        try (LocalFile local = tree.local(file.name());
                DuckDb db = new DuckDb(file.name())) {
            return db.rows(local.path());
        }
    }

    @Override
    public Cursor from(long position) throws IOException {
        return new Reading(position);
    }

    /**
     * One file open at a time; a file that lies elsewhere is copied here when it is its turn. Of a file that breaks, every row
     * that is left counts as a pair that cannot be used.
     */
    private final class Reading implements Cursor {
        private long toSkip;
        private int file = -1;
        private long row;
        private long count;
        private String broken; // why the file's other rows are lost, or null
        private LocalFile local;
        private DuckDb db;
        private ResultSet rows;

        Reading(long position) {
            this.toSkip = position;
        }

        @Override
        public Pair next() throws IOException {
            while (true) {
                if (broken != null && row < count) {
                    return Pair.unusable(where(null), "broken file", broken);
                }
                try {
                    if (broken == null && rows != null && rows.next()) {
                        return pair();
                    }
                    close();
                    if (file + 1 == files.size()) {
                        return null;
                    }
                    open(files.get(++file).name());
                } catch (SQLException | SourceException e) {
                    broken = e.getMessage().lines().findFirst().orElse("");
                }
            }
        }

        private Pair pair() throws SQLException {
            byte[] image = rows.getBytes(1);
            Map<String, String> texts = new HashMap<>();
            for (String column : columns.captions()) {
                texts.put(column, rows.getString(3 + texts.size()));
            }
            String path = rows.getString(2);
            String where = where(path);
            String caption = captions.choose(where, texts::get);
            return columns.links() && path != null
                    ? Pair.linked(where, path.strip(), caption)
                    : new Pair(where, image, caption);
        }

        /** Of the next row, which is behind this then. */
        private String where(String path) {
            return files.get(file).name() + " row " + row++ + (path == null ? "" : " (" + path + ")");
        }

        private void open(String name) throws IOException, SQLException {
            local = tree.local(name);
            db = new DuckDb(name);
            broken = null;
            count = 1; // for a file that does not tell
            try {
                count = db.rows(local.path());
            } finally {
                row = Math.min(toSkip, count);
                toSkip -= row;
            }
            rows = row == count ? null : db.select(columns, local.path(), row);
        }

        @Override
        public void close() throws IOException {
            if (db != null) {
                db.close();
                local.close();
                rows = null;
                db = null;
            }
        }
    }
}
