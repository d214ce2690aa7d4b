package dev.distillery.converter.report;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** A line chart as SVG: steps across, a logarithmic value axis up. */
final class LineChart {

    private static final int WIDTH = 480;
    private static final int HEIGHT = 236;
    private static final int LEFT = 46;
    private static final int RIGHT = 60;
    private static final int TOP = 12;
    private static final int BOTTOM = 30;
    private static final int MOST_POINTS = 400;
    private static final int MOST_DOTS = 40;

    private final StringBuilder svg = new StringBuilder();
    private final Axis across;
    private final Axis up;

    private LineChart(List<Series> all) {
        double mostX =
                all.stream().flatMapToDouble(s -> Arrays.stream(s.x())).max().orElse(1);
        double leastY =
                all.stream().flatMapToDouble(s -> Arrays.stream(s.y())).min().orElse(0.1);
        double mostY =
                all.stream().flatMapToDouble(s -> Arrays.stream(s.y())).max().orElse(1);
        across = Axis.linear(mostX, 5);
        up = Axis.log(leastY, mostY);
    }

    /** The curve as measured, faint, and its moving average on top, with the last average written at its end. */
    static String ofNoisy(Series series, String colour) {
        Series raw = series.drawable(true);
        if (raw.y().length == 0) {
            return nothing(series.label());
        }
        LineChart chart = new LineChart(List.of(raw));
        chart.frame(series.label());
        chart.line(raw.thinned(MOST_POINTS), colour, "raw");
        chart.line(raw.smoothed().thinned(MOST_POINTS), colour, "smooth");
        chart.end(raw.smoothed(), colour);
        return chart.done();
    }

    /** Few points, each of which counts: drawn with dots, first and last value written. */
    static String ofPoints(Series series, String colour) {
        Series points = series.drawable(true);
        if (points.y().length == 0) {
            return nothing(series.label());
        }
        LineChart chart = new LineChart(List.of(points));
        chart.frame(series.label());
        chart.line(points, colour, "smooth");
        chart.dots(points, colour, "");
        chart.end(points, colour);
        return chart.done();
    }

    /** @param name of what the curve is of */
    record Curve(Series series, String colour, String name) {}

    /** Curves to compare; those of few points have dots, which name their curve. */
    static String ofSeveral(String label, List<Curve> curves) {
        List<Curve> drawn =
                curves.stream().filter(curve -> curve.series().y().length > 0).toList();
        if (drawn.isEmpty()) {
            return nothing(label);
        }
        LineChart chart = new LineChart(drawn.stream().map(Curve::series).toList());
        chart.frame(label);
        for (Curve curve : drawn) {
            chart.line(curve.series().thinned(MOST_POINTS), curve.colour(), "smooth");
            if (curve.series().y().length <= MOST_DOTS) {
                chart.dots(curve.series(), curve.colour(), curve.name() + ", ");
            }
        }
        return chart.done();
    }

    private void dots(Series points, String colour, String of) {
        for (int i = 0; i < points.y().length; i++) {
            add(
                    "<circle cx='%.1f' cy='%.1f' r='3' fill='var(%s)'><title>%sstep %s: %s</title></circle>",
                    px(points.x()[i]),
                    py(points.y()[i]),
                    colour,
                    of,
                    Numbers.count((long) points.x()[i]),
                    Numbers.value(points.y()[i]));
        }
    }

    private static String nothing(String label) {
        return "<p class='nothing'>No values of " + label + " were recorded.</p>";
    }

    private void frame(String label) {
        add("<svg viewBox='0 0 %d %d' role='img' aria-label='%s'>", WIDTH, HEIGHT, label);
        for (double tick : up.ticks()) {
            add("<line class='grid' x1='%d' x2='%d' y1='%.1f' y2='%.1f'/>", LEFT, WIDTH - RIGHT, py(tick), py(tick));
            add(
                    "<text class='tick' text-anchor='end' x='%d' y='%.1f'>%s</text>",
                    LEFT - 7, py(tick) + 3.5, Numbers.value(tick));
        }
        for (double tick : across.ticks()) {
            add(
                    "<text class='tick' text-anchor='middle' x='%.1f' y='%d'>%s</text>",
                    px(tick), HEIGHT - 10, Numbers.count(Math.round(tick)));
        }
        add(
                "<line class='axis' x1='%d' x2='%d' y1='%d' y2='%d'/>",
                LEFT, WIDTH - RIGHT, HEIGHT - BOTTOM, HEIGHT - BOTTOM);
        add("<text class='tick' text-anchor='start' x='%d' y='%d'>step</text>", WIDTH - RIGHT + 22, HEIGHT - 10);
    }

    private void line(Series series, String colour, String cssClass) {
        StringBuilder path = new StringBuilder();
        for (int i = 0; i < series.y().length; i++) {
            path.append(String.format(
                    Locale.ROOT, "%s%.1f %.1f", i == 0 ? "M" : "L", px(series.x()[i]), py(series.y()[i])));
        }
        add("<path class='%s' d='%s' stroke='var(%s)'/>", cssClass, path, colour);
    }

    private void end(Series series, String colour) {
        double x = px(series.x()[series.x().length - 1]);
        double y = py(series.last());
        add("<circle cx='%.1f' cy='%.1f' r='3.5' fill='var(%s)'/>", x, y, colour);
        add("<text class='end' x='%.1f' y='%.1f'>%s</text>", x + 8, y + 4, Numbers.value(series.last()));
    }

    private String done() {
        return svg.append("</svg>").toString();
    }

    private double px(double x) {
        return LEFT + across.place(x) * (WIDTH - LEFT - RIGHT);
    }

    private double py(double y) {
        return HEIGHT - BOTTOM - up.place(y) * (HEIGHT - BOTTOM - TOP);
    }

    private void add(String format, Object... values) {
        svg.append(String.format(Locale.ROOT, format, values)).append('\n');
    }
}
