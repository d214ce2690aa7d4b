package dev.distillery.trainer.data;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Which pairs each step trains on: every epoch visits every training pair once, in an order that depends on
 * {@code (seed, epoch)} and the data set only. A batch has pairs of one size; at an epoch's end come those that did not become
 * full, so that rare sizes are not lost.
 *
 * <p>Pairs are shuffled all together, as long as the data set has few shards. Else its shards are, and then the pairs within
 * {@value #WINDOW} shards that follow each other, so that only few shards have to be at hand at a time.
 */
public final class EpochOrder {
    static final int WINDOW = 16;

    private final LatentsIndex index;
    private final int[] pairs;
    private final int batch;
    private final int accumulate;
    private final long seed;
    private final int stepsPerEpoch;
    private final Map<Integer, List<int[]>> plans = new LinkedHashMap<>(); // of the two epochs that were asked for last

    /**
     * @param pairs those that train, ascending within a shard
     * @param batch number of pairs that a full batch has
     * @param accumulate how many batches a step has
     */
    public EpochOrder(LatentsIndex index, int[] pairs, int batch, int accumulate, long seed) {
        this.index = index;
        this.pairs = pairs.clone();
        this.batch = batch;
        this.accumulate = accumulate;
        this.seed = seed;
        this.stepsPerEpoch = steps(plan(0).size());
    }

    private int steps(int batches) {
        return (batches + accumulate - 1) / accumulate;
    }

    /** Optimizer steps in one epoch, at least 1. */
    public int stepsPerEpoch() {
        return stepsPerEpoch;
    }

    /** The batches of step {@code step}, counted from 0 over the whole run; at most as many as are accumulated. */
    List<int[]> batchesOf(long step) {
        List<int[]> plan = plan(Math.toIntExact(step / stepsPerEpoch));
        int from = (int) (step % stepsPerEpoch) * accumulate;
        return plan.subList(from, Math.min(from + accumulate, plan.size()));
    }

    private List<int[]> plan(int epoch) {
        List<int[]> plan = plans.get(epoch);
        if (plan == null) {
            if (plans.size() == 2) {
                plans.remove(plans.keySet().iterator().next());
            }
            int[] order = order(epoch);
            plan = batches(index, order, batch).stream()
                    .map(places ->
                            places.stream().mapToInt(place -> order[place]).toArray())
                    .toList();
            plans.put(epoch, plan);
        }
        return plan;
    }

    /**
     * Batches of all pairs in this order, of one size each.
     *
     * @return places in {@code order}
     */
    public static List<List<Integer>> batches(LatentsIndex index, int[] order, int batch) {
        List<List<Integer>> batches = new ArrayList<>();
        Map<LatentSize, List<Integer>> filling = new LinkedHashMap<>();
        for (int place = 0; place < order.length; place++) {
            LatentSize size = index.sizeOf(order[place]);
            List<Integer> open = filling.computeIfAbsent(size, any -> new ArrayList<>());
            open.add(place);
            if (open.size() == batch) {
                batches.add(open);
                filling.remove(size);
            }
        }
        batches.addAll(filling.values());
        return batches;
    }

    private static int[] ints(List<Integer> list) {
        return list.stream().mapToInt(Integer::intValue).toArray();
    }

    private int[] order(int epoch) {
        List<int[]> shards = shards();
        if (shards.size() > WINDOW) {
            int[] order = Draws.of(seed, epoch, 0, "shards").permutation(shards.size());
            shards = Arrays.stream(order).mapToObj(shards::get).toList();
        }
        List<int[]> windows = new ArrayList<>();
        for (int from = 0; from < shards.size(); from += WINDOW) {
            int[] window = shards.subList(from, Math.min(from + WINDOW, shards.size())).stream()
                    .flatMapToInt(Arrays::stream)
                    .toArray();
            int[] order = Draws.of(seed, epoch, windows.size(), "order").permutation(window.length);
            windows.add(Arrays.stream(order).map(i -> window[i]).toArray());
        }
        return windows.stream().flatMapToInt(Arrays::stream).toArray();
    }

    /** The training pairs of each shard that has any; in the order given if these are few. */
    private List<int[]> shards() {
        Map<Integer, List<Integer>> byShard = new LinkedHashMap<>();
        for (int pair : pairs) {
            byShard.computeIfAbsent(index.shardOf(pair), shard -> new ArrayList<>())
                    .add(pair);
        }
        return byShard.size() > WINDOW
                ? byShard.values().stream().map(EpochOrder::ints).toList()
                : List.of(IntStream.of(pairs).toArray());
    }
}
