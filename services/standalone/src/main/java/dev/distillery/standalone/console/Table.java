package dev.distillery.standalone.console;

import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Rows under headings, in columns as wide as their widest cell. */
public final class Table {
    private static final String BETWEEN = "  ";

    private Table() {}

    /** @param rows each with as many cells as there are headings */
    public static String of(List<String> headings, List<List<String>> rows) {
        List<List<String>> all =
                Stream.concat(Stream.of(headings), rows.stream()).toList();
        int[] widths = IntStream.range(0, headings.size())
                .map(column -> all.stream()
                        .mapToInt(row -> row.get(column).length())
                        .max()
                        .orElse(0))
                .toArray();
        return all.stream().map(row -> line(row, widths)).collect(Collectors.joining("\n"));
    }

    private static String line(List<String> row, int[] widths) {
        return IntStream.range(0, widths.length)
                .mapToObj(column -> row.get(column)
                        + " ".repeat(widths[column] - row.get(column).length()))
                .collect(Collectors.joining(BETWEEN))
                .stripTrailing();
    }
}
