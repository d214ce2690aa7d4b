package dev.distillery.dataingest.source.web;

import java.io.IOException;
import java.util.HashSet;
import java.util.Set;

/**
 * Tells a network that is down from hosts that are gone: many hosts in a row of which none answers. Every further pair would be
 * left out of the data set for good, although it is there.
 */
final class Outage {
    static final int HOSTS = 100;

    private final Set<String> silent = new HashSet<>();

    /** To be told of each request's end, in the list's order. */
    void tell(String link, WebProblem problem) throws IOException {
        if (problem == null || !problem.isSilence()) {
            silent.clear();
            return;
        }
        silent.add(WebClient.url(link).host());
        if (silent.size() >= HOSTS) {
            throw new IOException("none of the last " + HOSTS
                    + " hosts of the list was reached: data-ingest seems to have no way to the web (last: " + link
                    + ")");
        }
    }
}
