package dev.distillery.dataingest.source;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import java.util.zip.CRC32;

/**
 * Which column a pair's caption is taken from.
 *
 * @param weights how often each column is chosen beside the others, by its name
 */
public record Captions(SortedMap<String, Double> weights) {
    public Captions {
        if (weights.isEmpty()) {
            throw new IllegalArgumentException("captions come from at least one column");
        }
        weights = new TreeMap<>(weights);
    }

    /** From one column. */
    public static Captions of(String column) {
        return new Captions(new TreeMap<>(Map.of(column, 1.0)));
    }

    public List<String> columns() {
        return List.copyOf(weights.keySet());
    }

    /**
     * The caption of one pair, chosen among the columns that have one for it. The choice depends on {@code where} alone: the
     * same data set read again has the same captions.
     *
     * @param where the pair stands in the source
     * @param value of a column; null if there is none
     * @return null if no column has one
     */
    String choose(String where, UnaryOperator<String> value) {
        double total = 0;
        for (String column : weights.keySet()) {
            total += has(value.apply(column)) ? weights.get(column) : 0;
        }
        double place = unit(where) * total;
        String chosen = null;
        for (String column : weights.keySet()) {
            String caption = value.apply(column);
            if (has(caption) && (chosen == null || place >= 0)) {
                chosen = caption;
                place -= weights.get(column);
            }
        }
        return chosen;
    }

    private static boolean has(String caption) {
        return caption != null && !caption.isBlank();
    }

    /** In [0, 1), the same on every machine. */
    private static double unit(String where) {
        var crc = new CRC32();
        crc.update(where.getBytes(StandardCharsets.UTF_8));
        return crc.getValue() * 0x1.0p-32;
    }
}
