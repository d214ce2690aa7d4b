package dev.distillery.converter.report;

import java.nio.charset.StandardCharsets;

import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.Keys;

/** Writes {@code runs/<run>/report.html}; made again, it replaces the page. */
public final class Report {

    private final ArtifactStore store;
    private final PageTemplate template = new PageTemplate("report.html");

    public Report(ArtifactStore store) {
        this.store = store;
    }

    /** Returns the page's key. */
    public String write(String run) {
        Page page = new PageWriter(new RunReader(store, run)
                        .read(Keys.runModel(run), (folders, metrics) -> RunReader.spread(folders)))
                .write();
        store.put(Keys.report(run), template.fill(page).getBytes(StandardCharsets.UTF_8));
        return Keys.report(run);
    }
}
