package dev.distillery.converter.card;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where a model or a data set came from, as far as it is for others: a folder of the machine that trained is its last part.
 *
 * @param address as in the request, without the path of a local folder
 * @param hubId {@code owner/name} of a repository of the Hub
 * @param page its page
 */
record Origin(String address, Optional<String> hubId, Optional<String> page) {
    private static final Pattern HUB = Pattern.compile("hf://(datasets/)?([\\w.-]+/[\\w.-]+)(@.*|/.*)?");
    private static final String HUB_SITE = "https://huggingface.co/";

    static Origin of(String address) {
        Matcher hub = HUB.matcher(address);
        if (hub.matches()) {
            String kind = hub.group(1) == null ? "" : hub.group(1);
            return new Origin(address, Optional.of(hub.group(2)), Optional.of(HUB_SITE + kind + hub.group(2)));
        }
        String shown = address.startsWith("file:")
                ? "file:./" + address.replaceFirst("/*$", "").replaceFirst(".*/", "")
                : address;
        return new Origin(shown, Optional.empty(), Optional.empty());
    }

    String markdown() {
        return page.map(link -> "[" + hubId.orElseThrow() + "](" + link + ")").orElseGet(() -> Markdown.code(address));
    }

    /** What {@code from_pretrained} is given. */
    String loadable() {
        return hubId.orElse("path/to/" + address.replaceFirst("/*$", "").replaceFirst(".*/", ""));
    }
}
