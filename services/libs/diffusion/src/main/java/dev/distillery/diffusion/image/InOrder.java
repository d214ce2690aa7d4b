package dev.distillery.diffusion.image;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Function;
import java.util.function.ToLongFunction;

/**
 * Work on images, such as decoding, by all cores: items are read by the thread that asks for results, worked on some ahead of
 * it, and come out in the order in which they were read.
 *
 * @param <T> what is read
 * @param <R> what is made of it
 */
public final class InOrder<T, R> implements AutoCloseable {
    private static final int CORES = Runtime.getRuntime().availableProcessors();
    private static final int AHEAD = 4 * CORES;
    private static final long BYTES_AHEAD = 64L << 20;

    private final Source<T> source;
    private final Function<T, R> work;
    private final ToLongFunction<T> bytes;
    private final Deque<Item<T, R>> ahead = new ArrayDeque<>();
    private final ExecutorService cores = Executors.newFixedThreadPool(CORES, task -> {
        Thread thread = new Thread(task, "images");
        thread.setDaemon(true);
        return thread;
    });
    private long bytesAhead;
    private boolean ended;

    /** Gives one item after another, null at the end. */
    public interface Source<T> {
        T next() throws IOException;
    }

    private record Item<T, R>(T item, long bytes, CompletableFuture<R> result) {}

    /**
     * @param bytes that an item holds: how far it is read ahead is bounded by their sum as well as by their number
     */
    public InOrder(Source<T> source, Function<T, R> work, ToLongFunction<T> bytes) {
        this.source = source;
        this.work = work;
        this.bytes = bytes;
    }

    /** What was made of the next item, which stays the next one until it is passed; null at the end, or if that was made. */
    public R result() throws IOException {
        Item<T, R> next = next();
        try {
            return next == null ? null : next.result.join();
        } catch (CompletionException e) {
            throw e.getCause() instanceof RuntimeException own ? own : e;
        }
    }

    /** The next item; null at the end. */
    public T item() throws IOException {
        Item<T, R> next = next();
        return next == null ? null : next.item;
    }

    /** Goes past the next item. */
    public void pass() {
        bytesAhead -= ahead.remove().bytes;
    }

    private Item<T, R> next() throws IOException {
        while (!ended && ahead.size() < AHEAD && (bytesAhead < BYTES_AHEAD || ahead.isEmpty())) {
            T item = source.next();
            if (item == null) {
                ended = true;
            } else {
                bytesAhead += bytes.applyAsLong(item);
                ahead.add(new Item<>(
                        item, bytes.applyAsLong(item), CompletableFuture.supplyAsync(() -> work.apply(item), cores)));
            }
        }
        return ahead.peek();
    }

    @Override
    public void close() {
        cores.shutdownNow();
    }
}
