package dev.distillery.standalone.console;

import java.io.PrintWriter;

/**
 * Where progress is shown: on a terminal one line that is written over, else (a file, a CI log) plain lines, few of them.
 *
 * @param live whether a line can be written over
 */
public record Terminal(PrintWriter out, boolean live, int width) {
    private static final int USUAL_WIDTH = 100;

    public static Terminal of(PrintWriter out) {
        return new Terminal(out, System.console() != null, width(System.getenv("COLUMNS")));
    }

    private static int width(String columns) {
        return columns != null && columns.matches("[1-9][0-9]{1,3}") ? Integer.parseInt(columns) : USUAL_WIDTH;
    }

    /** A line that stays. */
    public void line(String text) {
        out.println((live ? "\r\033[K" : "") + text);
        out.flush();
    }

    /** A line that the next one replaces, where that is possible. */
    public void status(String text) {
        if (live) {
            out.print("\r\033[K" + text.substring(0, Math.min(text.length(), width - 1)));
        } else {
            out.println(text);
        }
        out.flush();
    }

    /** Leaves what stands in the status line. */
    public void clearStatus() {
        if (live) {
            out.print("\r\033[K");
            out.flush();
        }
    }
}
