package dev.distillery.dataingest.teacher;

import java.io.IOException;
import java.io.InputStream;
import java.util.Map;

import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.Keys;
import dev.distillery.artifacts.Manifests;
import dev.distillery.artifacts.PrefixWriter;
import dev.distillery.dataingest.teacher.TeacherFiles.File;

/** Copies a teacher into the store once. */
public final class TeacherImport {
    private final ArtifactStore store;

    public TeacherImport(ArtifactStore store) {
        this.store = store;
    }

    /** Copies the files unless they are there. */
    public void run(String fingerprint, TeacherFiles teacher) throws IOException {
        String prefix = Keys.model(fingerprint);
        if (Manifests.find(store, prefix).isPresent()) {
            return;
        }
        var writer = new PrefixWriter(store, prefix);
        try {
            for (Map.Entry<String, File> file : teacher.files().entrySet()) {
                writer.stream(file.getKey(), out -> {
                    try (InputStream in = file.getValue().open()) {
                        in.transferTo(out);
                    }
                });
            }
        } finally {
            teacher.release();
        }
        writer.complete("model", Map.of("source", teacher.source(), "vae", teacher.vaeSource()));
    }
}
