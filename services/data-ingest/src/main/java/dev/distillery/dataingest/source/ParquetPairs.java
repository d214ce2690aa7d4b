package dev.distillery.dataingest.source;

import java.io.IOException;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;

import dev.distillery.dataingest.source.FileTree.Entry;
import dev.distillery.dataingest.source.FileTree.LocalFile;

/** Hugging Face's image-text parquet: the image a struct of {@code bytes} and {@code path} or plain bytes, the caption text. */
final class ParquetPairs implements PairSource {
    private final FileTree tree;
    private final List<Entry> files;
    private final ParquetColumns columns;

    /** Reads the first file's schema. */
    ParquetPairs(FileTree tree, List<Entry> files, String image, String caption) throws IOException {
        this.tree = tree;
        this.files = files;
        try (LocalFile first = tree.local(files.get(0).name());
                DuckDb db = new DuckDb(files.get(0).name())) {
            this.columns = ParquetColumns.find(db.columns(first.path()), image, caption, tree.uri());
        }
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

    /** One file open at a time; a file that lies elsewhere is copied here when it is its turn. */
    private final class Reading implements Cursor {
        private long toSkip;
        private int file = -1;
        private long row;
        private LocalFile local;
        private DuckDb db;
        private ResultSet rows;

        Reading(long position) {
            this.toSkip = position;
        }

        @Override
        public Pair next() throws IOException {
            try {
                while (rows == null || !rows.next()) {
                    close();
                    if (++file == files.size()) {
                        file--; // stays at its end
                        return null;
                    }
                    open(files.get(file).name());
                }
                String path = rows.getString(2);
                String where = files.get(file).name() + " row " + row++ + (path == null ? "" : " (" + path + ")");
                return new Pair(where, rows.getBytes(1), rows.getString(3));
            } catch (SQLException e) {
                throw new SourceException("dataset.source", files.get(file).name() + ": " + e.getMessage());
            }
        }

        private void open(String name) throws IOException, SQLException {
            local = tree.local(name);
            db = new DuckDb(name);
            long count = toSkip > 0 ? db.rows(local.path()) : Long.MAX_VALUE;
            row = Math.min(toSkip, count);
            toSkip -= row;
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
