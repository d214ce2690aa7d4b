package dev.distillery.converter.report;

import java.util.List;

import dev.distillery.artifacts.ArtifactMissingException;
import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.Keys;

/** One page of several runs: in what they differ, what that did to sizes, losses and scores, and their pictures side by side. */
public final class Comparison {

    private final ArtifactStore store;
    private final PageTemplate template = new PageTemplate("comparison.html");

    public Comparison(ArtifactStore store) {
        this.store = store;
    }

    /**
     * The page as HTML.
     *
     * @param runs whose weights are converted
     * @throws ArtifactMissingException if the store lacks what a page tells of a run
     */
    public String of(List<String> runs) {
        return template.fill(
                new ComparisonWriter(runs.stream().map(this::record).toList()).write());
    }

    private RunRecord record(String run) {
        return new RunReader(store, run)
                .read(
                        Keys.runModel(run),
                        (folders, metrics) ->
                                folders.stream()
                                        .filter(folder -> !folder.endsWith("-ema"))
                                        .reduce((earlier, later) -> later)
                                        .stream()
                                        .toList());
    }
}
