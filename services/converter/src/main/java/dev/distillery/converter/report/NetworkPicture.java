package dev.distillery.converter.report;

import java.util.List;
import java.util.Locale;

import dev.distillery.converter.report.NetworkShape.Layer;
import dev.distillery.converter.report.NetworkShape.Stage;

/**
 * The U of a U-Net as SVG: down blocks fall on the left, up blocks rise on the right, the mid block at the bottom.
 * What the student keeps is filled, what it lacks is a dashed outline.
 */
final class NetworkPicture {

    private static final int WIDTH = 1000;
    private static final int ROW = 74;
    private static final int BOX = 40;
    private static final int HEIGHT_OF_BOX = 34;
    private static final int GAP = 7;
    private static final int INDENT = 34;

    private final StringBuilder svg = new StringBuilder();

    private NetworkPicture() {}

    static String of(NetworkShape shape) {
        return new NetworkPicture().draw(shape);
    }

    private String draw(NetworkShape shape) {
        List<Stage> down = stages(shape, "down");
        List<Stage> mid = stages(shape, "mid");
        List<Stage> up = stages(shape, "up");
        int rows = Math.max(down.size(), up.size());
        add("<svg viewBox='0 0 %d %d' role='img' aria-label='Blocks kept and removed'>", WIDTH, ROW * (rows + 1) + 6);
        for (int row = 0; row < down.size(); row++) {
            int left = row * INDENT;
            stage(down.get(row), left, row);
            if (row < up.size()) {
                Stage opposite = up.get(up.size() - 1 - row);
                int right = WIDTH - row * INDENT - width(opposite);
                add(
                        "<line class='skip' x1='%d' x2='%d' y1='%d' y2='%3$d'/>",
                        left + width(down.get(row)) + 12, right - 12, middle(row));
                stage(opposite, right, row);
            }
        }
        for (Stage stage : mid) {
            stage(stage, (WIDTH - width(stage)) / 2, rows);
        }
        return svg.append("</svg>").toString();
    }

    private static List<Stage> stages(NetworkShape shape, String kind) {
        return shape.stages().stream().filter(s -> s.name().startsWith(kind)).toList();
    }

    private void stage(Stage stage, int left, int row) {
        String name = stage.name().replace("_blocks.", " ").replace("_block", "");
        add(
                "<text class='name' x='%d' y='%d'>%s<tspan class='size' dx='8'>%s → %s</tspan></text>",
                left,
                ROW * row + 16,
                name,
                Numbers.parameters(stage.teacherParameters()),
                stage.studentParameters() == 0 ? "none" : Numbers.parameters(stage.studentParameters()));
        int x = left;
        for (Layer layer : stage.layers()) {
            box(layer, x, ROW * row + 24);
            x += BOX + GAP;
        }
    }

    private void box(Layer layer, int x, int y) {
        String kind = layer.kind().name().toLowerCase(Locale.ROOT);
        add(
                "<g class='layer %s %s'><rect x='%d' y='%d' width='%d' height='%d' rx='6'/>",
                kind, layer.kept() ? "kept" : "removed", x, y, BOX, HEIGHT_OF_BOX);
        add(
                "<text text-anchor='middle' x='%d' y='%d'>%s</text><title>%s, %s parameters, %s</title></g>",
                x + BOX / 2,
                y + 22,
                label(layer),
                kind,
                Numbers.count(layer.parameters()),
                layer.kept() ? "kept" : "removed");
    }

    private static String label(Layer layer) {
        return switch (layer.kind()) {
            case RESNET -> "R";
            case DOWN -> "↓";
            case UP -> "↑";
            case ATTENTION ->
                layer.kept() && layer.keptDepth() != layer.depth()
                        ? layer.depth() + "→" + layer.keptDepth()
                        : "A" + layer.depth();
        };
    }

    private static int width(Stage stage) {
        return stage.layers().size() * (BOX + GAP) - GAP;
    }

    private static int middle(int row) {
        return ROW * row + 24 + HEIGHT_OF_BOX / 2;
    }

    private void add(String format, Object... values) {
        svg.append(String.format(Locale.ROOT, format, values)).append('\n');
    }
}
