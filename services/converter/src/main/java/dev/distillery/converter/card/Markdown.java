package dev.distillery.converter.card;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Words of others in Markdown: shown as they are, whatever is in them. */
final class Markdown {
    private static final Pattern PUNCTUATION = Pattern.compile("[\\\\`*_{}\\[\\]<>|!~&$]|:(?=//)");
    private static final Pattern TICKS = Pattern.compile("`+");

    private Markdown() {}

    /** On one line, every mark that could mean something within a line with a backslash. */
    static String escape(String text) {
        return PUNCTUATION.matcher(line(text)).replaceAll(mark -> Matcher.quoteReplacement("\\" + mark.group()));
    }

    /** On one line, as code. */
    static String code(String text) {
        String fence = "`".repeat(longestTicks(text) + 1);
        String space = text.startsWith("`") || text.endsWith("`") ? " " : "";
        return fence + space + line(text).replace("|", "\\|") + space + fence;
    }

    /** Lines of code. */
    static String block(String language, String text) {
        String fence = "`".repeat(Math.max(3, longestTicks(text) + 1));
        return fence + language + "\n" + text.strip() + "\n" + fence;
    }

    private static String line(String text) {
        return text.replaceAll("\\p{Cntrl}+", " ").strip();
    }

    private static int longestTicks(String text) {
        return TICKS.matcher(text)
                .results()
                .mapToInt(ticks -> ticks.group().length())
                .max()
                .orElse(0);
    }
}
