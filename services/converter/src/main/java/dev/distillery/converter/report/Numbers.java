package dev.distillery.converter.report;

import java.util.Locale;

/** Numbers as a reader wants them: few digits, a unit, the same in every country's setting. */
public final class Numbers {

    private Numbers() {}

    /** Three significant digits. */
    public static String value(double x) {
        if (x == 0 || !Double.isFinite(x)) {
            return x == 0 ? "0" : Double.toString(x);
        }
        int digits = 2 - (int) Math.floor(Math.log10(Math.abs(x)));
        if (digits > 6) {
            return String.format(Locale.ROOT, "%.1e", x);
        }
        String text = String.format(Locale.ROOT, "%." + Math.max(0, digits) + "f", x);
        return text.contains(".") ? text.replaceAll("0+$", "").replaceAll("\\.$", "") : text;
    }

    /** With thousands separators. */
    public static String count(long n) {
        return String.format(Locale.ROOT, "%,d", n);
    }

    /** Operations in thousand millions. */
    public static String giga(long n) {
        return String.format(Locale.ROOT, n < 10_000_000_000L ? "%.3f G" : "%,.1f G", n / 1e9);
    }

    /** Parameters as K, M or B. */
    public static String parameters(long n) {
        if (n >= 1_000_000_000L) {
            return String.format(Locale.ROOT, "%.2f B", n / 1e9);
        }
        return n >= 1_000_000L
                ? String.format(Locale.ROOT, "%.2f M", n / 1e6)
                : String.format(Locale.ROOT, "%.0f K", n / 1e3);
    }

    public static String bytes(long n) {
        double mega = n / 1e6;
        return mega >= 1000
                ? String.format(Locale.ROOT, "%.2f GB", mega / 1000)
                : String.format(Locale.ROOT, "%.1f MB", mega);
    }

    /** A short time in milliseconds, a longer one in seconds. */
    public static String seconds(double seconds) {
        return seconds < 1 ? value(1000 * seconds) + " ms" : value(seconds) + " s";
    }

    /** As 12.3 s, 4 min 05 s or 3 h 20 min. */
    public static String duration(double seconds) {
        if (seconds < 60) {
            return String.format(Locale.ROOT, "%.1f s", seconds);
        }
        long whole = Math.round(seconds);
        return whole < 3600
                ? String.format(Locale.ROOT, "%d min %02d s", whole / 60, whole % 60)
                : String.format(Locale.ROOT, "%d h %02d min", whole / 3600, whole % 3600 / 60);
    }

    /** A share as a whole or, below ten, one-digit percentage. */
    public static String percent(double share) {
        double percent = 100 * share;
        return String.format(Locale.ROOT, Math.abs(percent) < 10 ? "%.1f %%" : "%.0f %%", percent);
    }
}
