package dev.distillery.dataingest.source;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

import io.smallrye.config.ConfigMapping;

/** What data-ingest may read of its own machine. */
@ConfigMapping(prefix = "distillery.sources")
public interface FolderSettings {
    /** Folders that {@code file://} may name, with all that is below them; none unless they are named here. */
    Optional<List<Path>> folders();
}
