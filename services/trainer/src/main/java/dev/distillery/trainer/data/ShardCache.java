package dev.distillery.trainer.data;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

import dev.distillery.artifacts.Folders;

/**
 * Shards on this machine's disk, at most so many bytes of them: those that are expected next are fetched ahead, those that were
 * not used for longest go. What a run before this left there is taken.
 */
public final class ShardCache implements AutoCloseable {
    private static final int FETCHED_AT_ONCE = 2;

    private final LatentsIndex index;
    private final Path folder;
    private final long most;
    private final Fetch fetch;
    private final ExecutorService fetching = Executors.newFixedThreadPool(FETCHED_AT_ONCE, task -> {
        Thread thread = new Thread(task, "latents");
        thread.setDaemon(true);
        return thread;
    });
    private final Map<Integer, Entry> shards = new LinkedHashMap<>(16, 0.75f, true); // by use, the latest last
    private final Set<Integer> expected = new LinkedHashSet<>(); // and not used yet
    private long bytes;

    /** Brings a shard's file to this machine, checked. */
    public interface Fetch {
        void to(String file, String sha256, Path target) throws IOException;
    }

    /** A shard that is here or on its way, and how many use it now. */
    private static final class Entry {
        final CompletableFuture<LatentsShard> shard;
        int uses;

        Entry(CompletableFuture<LatentsShard> shard) {
            this.shard = shard;
        }

        boolean isIdle() {
            return shard.isDone() && uses == 0;
        }
    }

    /** A shard that stays until this is closed. */
    record Use(LatentsShard shard, Runnable end) implements AutoCloseable {
        @Override
        public void close() {
            end.run();
        }
    }

    /**
     * @param folder of this data set, beside those of others, which go if there is no room for this one else
     * @param most bytes; a shard that is larger is taken nevertheless
     */
    public ShardCache(LatentsIndex index, Path folder, long most, Fetch fetch) {
        this.index = index;
        this.folder = folder;
        this.most = most;
        this.fetch = fetch;
        try {
            makeRoom();
            Files.createDirectories(folder);
            for (int shard = 0; shard < index.shards().size(); shard++) {
                Path file = file(shard);
                if (Files.exists(file) && bytes + size(shard) <= most) {
                    bytes += size(shard);
                    shards.put(shard, new Entry(CompletableFuture.completedFuture(new LatentsShard(file))));
                } else {
                    Files.deleteIfExists(file);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void makeRoom() throws IOException {
        long all =
                IntStream.range(0, index.shards().size()).mapToLong(this::size).sum();
        if (!Files.isDirectory(folder.getParent())) {
            return;
        }
        try (Stream<Path> others = Files.list(folder.getParent())) {
            for (Path other : others.filter(path -> !path.equals(folder)).toList()) {
                if (bytes(other) + all > most) {
                    Folders.delete(other);
                } else {
                    all += bytes(other);
                }
            }
        }
    }

    /** Replaces what was expected, and begins to fetch it. */
    synchronized void expect(IntStream next) {
        expected.clear();
        long room = most;
        for (int shard : next.distinct().toArray()) {
            room -= size(shard);
            if (room < 0) {
                break;
            }
            expected.add(shard);
        }
        expected.forEach(this::begin); // when all are known, so that none makes room for another
    }

    private static long bytes(Path other) {
        return Folders.files(other).stream()
                .mapToLong(file -> file.toFile().length())
                .sum();
    }

    /** Waits until the shard is here. */
    Use use(int shard) {
        Entry there;
        synchronized (this) {
            there = begin(shard);
            there.uses++;
            expected.remove(shard); // from now on it stays as long as it is used now and then
        }
        try {
            return new Use(there.shard.join(), () -> end(there));
        } catch (CompletionException e) {
            forget(shard, there);
            throw e.getCause() instanceof RuntimeException own ? own : e;
        }
    }

    private synchronized void end(Entry used) {
        used.uses--;
    }

    /** It did not come: whoever asks again has it fetched again. */
    private synchronized void forget(int shard, Entry failed) {
        if (shards.remove(shard, failed)) {
            bytes -= size(shard);
        }
    }

    private Entry begin(int shard) {
        Entry there = shards.get(shard);
        if (there == null) {
            while (bytes + size(shard) > most && evict()) {
                // one at a time
            }
            bytes += size(shard);
            there = new Entry(CompletableFuture.supplyAsync(() -> fetched(shard), fetching));
            shards.put(shard, there);
        }
        return there;
    }

    /** Drops the shard that was not used for longest, an expected one only if there is no other. */
    private boolean evict() {
        List<Integer> idle = shards.entrySet().stream()
                .filter(shard -> shard.getValue().isIdle())
                .map(Map.Entry::getKey)
                .toList();
        Optional<Integer> oldest = idle.stream()
                .filter(shard -> !expected.contains(shard))
                .findFirst()
                .or(() -> idle.stream().findFirst());
        oldest.ifPresent(shard -> {
            shards.remove(shard).shard.thenAccept(LatentsShard::close);
            bytes -= size(shard);
            try {
                Files.deleteIfExists(file(shard));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
        return oldest.isPresent();
    }

    private LatentsShard fetched(int shard) {
        Path file = file(shard);
        Path part = file.resolveSibling(file.getFileName() + ".part");
        try {
            LatentsIndex.Shard about = index.shards().get(shard);
            fetch.to(about.file(), about.sha256(), part);
            Files.move(part, file, StandardCopyOption.ATOMIC_MOVE);
            return new LatentsShard(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Path file(int shard) {
        return folder.resolve(index.shards().get(shard).file().replace('/', '-'));
    }

    private long size(int shard) {
        return index.shards().get(shard).bytes();
    }

    /** The files stay for the next run on this data set. */
    @Override
    public synchronized void close() {
        fetching.shutdownNow();
        shards.values().forEach(there -> there.shard.thenAccept(LatentsShard::close));
        shards.clear();
    }
}
