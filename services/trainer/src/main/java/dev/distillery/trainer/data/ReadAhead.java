package dev.distillery.trainer.data;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

import ai.djl.ndarray.NDManager;
import dev.distillery.diffusion.distill.Batch;

/** Makes the batches of the next steps while those before them are trained on, and has their shards fetched before that. */
public final class ReadAhead implements AutoCloseable {
    /** Enough to fill what a cache holds of usual shards. */
    private static final int PAIRS_EXPECTED = 2 * EpochOrder.WINDOW * 256;

    private final LatentsDataset data;
    private final EpochOrder order;
    private final Batches batches;
    private final int devices;
    private final int partSize;
    private final BlockingQueue<List<Part>> steps = new LinkedBlockingQueue<>();
    private final Semaphore ahead;
    private final LongAdder waited = new LongAdder();
    private final Thread thread;

    /** One device's part of a batch; there when it is taken, or soon. */
    public final class Part {
        private final int[] pairs;
        private final int firstSlot;
        private final CompletableFuture<HostBatch> made = new CompletableFuture<>();

        private Part(int[] pairs, int firstSlot) {
            this.pairs = pairs;
            this.firstSlot = firstSlot;
        }

        public int size() {
            return pairs.length;
        }

        /** Once only. */
        public Batch on(NDManager manager) {
            return take().on(manager);
        }

        HostBatch take() {
            long began = System.nanoTime();
            try {
                HostBatch batch = made.join();
                waited.add(System.nanoTime() - began);
                return batch;
            } catch (CompletionException e) {
                throw e.getCause() instanceof RuntimeException own ? own : e;
            } finally {
                ahead.release();
            }
        }
    }

    /**
     * @param devices over which each batch is split
     * @param batch number of pairs that a full batch has
     * @param from first step, counted from 0
     * @param to behind the last one
     */
    public ReadAhead(
            LatentsDataset data, EpochOrder order, Batches batches, int devices, int batch, long from, long to) {
        this.data = data;
        this.order = order;
        this.batches = batches;
        this.devices = devices;
        this.partSize = (batch + devices - 1) / devices;
        this.ahead = new Semaphore(2 * devices);
        this.thread = new Thread(() -> make(from, to), "batches");
        thread.setDaemon(true);
        thread.start();
    }

    /** The parts of the next step, in order. */
    public List<Part> next() {
        long began = System.nanoTime();
        try {
            List<Part> parts = steps.take();
            waited.add((System.nanoTime() - began) * devices);
            return parts;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while waiting for data", e);
        }
    }

    /** How long a device waited for data since this was asked last, on average. */
    public double secondsWaited() {
        return waited.sumThenReset() / 1e9 / devices;
    }

    private void make(long from, long to) {
        List<Part> parts = List.of();
        try {
            long pairsUntilLook = 0;
            for (long step = from; step < to; step++) {
                parts = parts(order.batchesOf(step));
                steps.put(parts);
                if (pairsUntilLook <= 0) {
                    data.expect(following(step, to));
                    pairsUntilLook = PAIRS_EXPECTED / 64;
                }
                for (Part part : parts) {
                    ahead.acquire();
                    pairsUntilLook -= part.size();
                    part.made.complete(batches.ofStep(part.pairs, part.firstSlot, step));
                }
            }
        } catch (RuntimeException | Error e) {
            parts.forEach(part -> part.made.completeExceptionally(e)); // whoever trains fails with it
        } catch (InterruptedException e) {
            // closed: nobody waits any more
        }
    }

    private IntStream following(long step, long to) {
        return LongStream.range(step, to)
                .boxed()
                .flatMap(s -> order.batchesOf(s).stream())
                .flatMapToInt(Arrays::stream)
                .limit(PAIRS_EXPECTED);
    }

    private List<Part> parts(List<int[]> batchesOfStep) {
        List<Part> parts = new ArrayList<>();
        int slot = 0;
        for (int[] batch : batchesOfStep) {
            for (int from = 0; from < batch.length; from += partSize) {
                int[] some = Arrays.copyOfRange(batch, from, Math.min(from + partSize, batch.length));
                parts.add(new Part(some, slot));
                slot += some.length;
            }
        }
        return parts;
    }

    @Override
    public void close() {
        thread.interrupt();
    }
}
