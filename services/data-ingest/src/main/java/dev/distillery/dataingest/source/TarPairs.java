package dev.distillery.dataingest.source;

import java.io.BufferedInputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.distillery.dataingest.source.FileTree.Entry;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;

/**
 * Archives in WebDataset's layout, as img2dataset makes them: the files of a pair follow each other and share a name up to
 * its first dot, {@code 000.jpg}, {@code 000.txt}, {@code 000.json}. They are read as streams, one after another.
 */
final class TarPairs implements PairSource {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final FileTree tree;
    private final List<Entry> tars;
    private final Captions captions;

    /** @param captions fields of a pair's JSON, which are taken before the text file */
    TarPairs(FileTree tree, List<Entry> tars, Captions captions) {
        this.tree = tree;
        this.tars = tars;
        this.captions = captions;
    }

    /** Of archives that lie elsewhere only the first is counted. */
    @Override
    public long size() throws IOException {
        long all = tars.stream().mapToLong(Entry::size).sum();
        long pairs = 0;
        long bytes = 0;
        for (Entry tar : tars) {
            try (var reading = new Reading(List.of(tar))) {
                while (reading.next() != null) {
                    pairs++;
                }
            }
            bytes += tar.size();
            if (!tree.isLocal()) {
                return Math.round((double) pairs * all / Math.max(1, bytes));
            }
        }
        return pairs;
    }

    @Override
    public Cursor from(long position) throws IOException {
        var reading = new Reading(tars);
        for (long skipped = 0; skipped < position && reading.next() != null; skipped++) {
            // an archive has no index
        }
        return reading;
    }

    /** Of a pair, while its files come. */
    private static final class Sample {
        final String key;
        Pair image;
        String text;
        JsonNode json = JSON.missingNode();

        Sample(String key) {
            this.key = key;
        }
    }

    private final class Reading implements Cursor {
        private final List<Entry> archives;
        private int archive = -1;
        private SourceStream source;
        private TarArchiveInputStream tar;
        private TarArchiveEntry ahead; // the first of the next pair, whose bytes were not read yet

        Reading(List<Entry> archives) {
            this.archives = archives;
        }

        @Override
        public Pair next() throws IOException {
            while (tar != null || archive + 1 < archives.size()) {
                if (tar == null) {
                    archive++;
                    source = new SourceStream(tree.open(archives.get(archive).name()));
                    tar = new TarArchiveInputStream(new BufferedInputStream(source, 1 << 16));
                }
                try {
                    Sample sample = sample();
                    if (sample != null) {
                        return pair(sample);
                    }
                    close();
                } catch (IOException e) {
                    String name = archives.get(archive).name();
                    close();
                    if (source.failed) {
                        throw e; // not the archive: what brings it
                    }
                    return Pair.unusable(name, "broken archive", e.getMessage());
                }
            }
            return null;
        }

        private Pair pair(Sample sample) {
            String where = archives.get(archive).name() + " " + sample.key;
            String own = captions.choose(where, field -> sample.json.path(field).textValue());
            String caption = own != null
                    ? own
                    : sample.text != null
                            ? sample.text
                            : sample.json.path("caption").textValue();
            if (sample.image == null) {
                return new Pair(where, null, caption);
            }
            return new Pair(where, sample.image.image(), null, caption, sample.image.problem());
        }

        /** Null at the end of the archive. */
        private Sample sample() throws IOException {
            Sample sample = null;
            for (TarArchiveEntry entry = entry(); entry != null; entry = entry()) {
                String name = entry.getName().replaceFirst("^\\./", "");
                if (!entry.isFile() || name.startsWith(".") || name.contains("/.")) {
                    continue;
                }
                String key = key(name);
                if (sample != null && !sample.key.equals(key)) {
                    ahead = entry;
                    return sample;
                }
                sample = sample == null ? new Sample(key) : sample;
                add(sample, name, entry);
            }
            return sample;
        }

        private TarArchiveEntry entry() throws IOException {
            TarArchiveEntry entry = ahead != null ? ahead : tar.getNextEntry();
            ahead = null;
            return entry;
        }

        private void add(Sample sample, String name, TarArchiveEntry entry) throws IOException {
            if (ImageFiles.isImage(name)) {
                sample.image = ImageFiles.pair(name, tar, entry.getSize(), null);
                if (sample.image.image() != null && sample.image.image().length < entry.getSize()) {
                    throw new IOException("it ends within " + name);
                }
            } else if (name.endsWith(".txt") || name.endsWith(".caption")) {
                sample.text = ImageFiles.caption(tar);
            } else if (name.endsWith(".json")) {
                sample.json = json(ImageFiles.caption(tar));
            }
        }

        @Override
        public void close() throws IOException {
            if (tar != null) {
                tar.close();
                tar = null;
                ahead = null;
            }
        }
    }

    private static JsonNode json(String text) {
        try {
            return JSON.readTree(text);
        } catch (JsonProcessingException e) {
            return JSON.missingNode(); // the caption may still be in a text file
        }
    }

    /** Up to the first dot of the file's own name. */
    private static String key(String name) {
        int dot = name.indexOf('.', name.lastIndexOf('/') + 1);
        return dot < 0 ? name : name.substring(0, dot);
    }

    /** Knows whether a failure was its own. */
    private static final class SourceStream extends FilterInputStream {
        boolean failed;

        SourceStream(InputStream in) {
            super(in);
        }

        @Override
        public int read() throws IOException {
            try {
                return in.read();
            } catch (IOException e) {
                failed = true;
                throw e;
            }
        }

        @Override
        public int read(byte[] target, int offset, int length) throws IOException {
            try {
                return in.read(target, offset, length);
            } catch (IOException e) {
                failed = true;
                throw e;
            }
        }
    }
}
