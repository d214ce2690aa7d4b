package dev.distillery.diffusion.clip;

import java.text.Normalizer;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What CLIP's tokenizer does to a text before it looks for words: no control characters, CJK characters apart, composed
 * (NFC), one space between words, lower case. What is unassigned in the JDK's Unicode (13 in JDK 17, as in Python 3.10) is
 * dropped, like in Python.
 *
 * @see <a href="https://github.com/huggingface/transformers/blob/v4.55.4/src/transformers/models/clip/tokenization_clip.py#L83">
 *     BasicTokenizer</a>
 */
final class BasicText {
    private BasicText() {}

    static String clean(String text) {
        var spaced = new StringBuilder();
        text.codePoints().forEach(c -> {
            if (c == 0 || c == 0xFFFD || isControl(c)) {
                return;
            }
            if (isWhitespace(c)) {
                spaced.append(' ');
            } else if (isCjk(c)) {
                spaced.append(' ').appendCodePoint(c).append(' ');
            } else {
                spaced.appendCodePoint(c);
            }
        });
        String composed = Normalizer.normalize(spaced, Normalizer.Form.NFC);
        return Stream.of(composed.split("\\s+"))
                .filter(word -> !word.isEmpty())
                .map(word -> word.toLowerCase(Locale.ROOT))
                .collect(Collectors.joining(" "));
    }

    private static boolean isWhitespace(int c) {
        return c == ' ' || c == '\t' || c == '\n' || c == '\r' || Character.getType(c) == Character.SPACE_SEPARATOR;
    }

    /** Python's categories C*: controls, format characters, surrogates, private use, unassigned. */
    private static boolean isControl(int c) {
        if (c == '\t' || c == '\n' || c == '\r') {
            return false;
        }
        return switch (Character.getType(c)) {
            case Character.CONTROL,
                    Character.FORMAT,
                    Character.SURROGATE,
                    Character.PRIVATE_USE,
                    Character.UNASSIGNED -> true;
            default -> false;
        };
    }

    private static boolean isCjk(int c) {
        return (c >= 0x4E00 && c <= 0x9FFF)
                || (c >= 0x3400 && c <= 0x4DBF)
                || (c >= 0x20000 && c <= 0x2A6DF)
                || (c >= 0x2A700 && c <= 0x2B73F)
                || (c >= 0x2B740 && c <= 0x2B81F)
                || (c >= 0x2B820 && c <= 0x2CEAF)
                || (c >= 0xF900 && c <= 0xFAFF)
                || (c >= 0x2F800 && c <= 0x2FA1F);
    }
}
