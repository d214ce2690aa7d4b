package dev.distillery.hub;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Some tasks at once; the first that fails ends them all. */
final class Parallel {
    /** Of a task. */
    interface Task<T, R> {
        R of(T item) throws IOException;
    }

    private Parallel() {}

    /** The results in the items' order. */
    static <T, R> List<R> map(List<T> items, int atOnce, Task<T, R> task) throws IOException {
        if (items.isEmpty()) {
            return List.of();
        }
        ExecutorService threads = Executors.newFixedThreadPool(Math.min(items.size(), atOnce), run -> {
            Thread thread = new Thread(run, "hub-upload");
            thread.setDaemon(true);
            return thread;
        });
        try {
            var done = new ExecutorCompletionService<R>(threads);
            List<Future<R>> all = new ArrayList<>();
            for (T item : items) {
                all.add(done.submit(() -> task.of(item)));
            }
            for (int i = 0; i < all.size(); i++) {
                done.take().get();
            }
            List<R> results = new ArrayList<>();
            for (Future<R> one : all) {
                results.add(one.get());
            }
            return results;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted");
        } catch (ExecutionException e) {
            if (e.getCause() instanceof IOException io) {
                throw io;
            }
            if (e.getCause() instanceof RuntimeException runtime) {
                throw runtime;
            }
            throw new IllegalStateException(e.getCause());
        } finally {
            threads.shutdownNow();
        }
    }
}
