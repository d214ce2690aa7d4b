package dev.distillery.dataingest.source;

import java.util.Locale;

/** Whether a column's texts are web addresses, by its first ones: another column's would only give as many failures as rows. */
final class Links {
    private final String column;
    private final String file;
    private String other;
    private boolean any;

    Links(String column, String file) {
        this.column = column;
        this.file = file;
    }

    static boolean isLink(String text) {
        String start = text.stripLeading().toLowerCase(Locale.ROOT);
        return start.startsWith("http://") || start.startsWith("https://");
    }

    /** @param text may be null */
    void look(String text) {
        if (text != null && isLink(text)) {
            any = true;
        } else if (text != null && other == null) {
            other = text.length() > 60 ? text.substring(0, 60) + "..." : text;
        }
    }

    /** @throws SourceException if there were texts, and none was an address */
    void check() throws SourceException {
        if (!any && other != null) {
            throw new SourceException(
                    "dataset.image",
                    "column '" + column + "' of " + file + " has neither images nor their web addresses, but " + other);
        }
    }
}
