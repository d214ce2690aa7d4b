package dev.distillery.standalone;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

import dev.distillery.dataingest.teacher.SingleFileTree;
import dev.distillery.events.TrainRequest;

/** The folders that the user's own requests name, and those that links in them lead to: a Hugging Face cache is made of links. */
final class OwnFolders {
    private static final String FILE = "file://";

    private OwnFolders() {}

    /** As a value of {@code distillery.sources.folders}. */
    static String setting(List<TrainRequest> requests) {
        return requests.stream()
                .flatMap(request -> of(request).stream())
                .distinct()
                .map(folder -> folder.toString().replace(",", "\\,"))
                .collect(Collectors.joining(","));
    }

    static Set<Path> of(TrainRequest request) {
        Set<Path> folders = new TreeSet<>();
        Stream.of(
                        request.teacher().model(),
                        request.teacher().vae(),
                        request.source(),
                        request.dataset().validationSource().orElse(null))
                .filter(Objects::nonNull)
                .filter(uri -> uri.startsWith(FILE))
                .map(uri -> SingleFileTree.isOne(uri) ? SingleFileTree.folder(uri) : uri)
                .map(uri -> Path.of(uri.substring(FILE.length())).normalize())
                .forEach(folder -> add(folder, folders));
        return folders;
    }

    private static void add(Path folder, Set<Path> folders) {
        folders.add(folder);
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path link :
                    files.filter(Files::isSymbolicLink).filter(Files::exists).toList()) {
                Path target = link.toRealPath();
                folders.add(Files.isDirectory(target) ? target : target.getParent());
            }
        } catch (IOException e) {
            throw new UncheckedIOException(folder + " cannot be read", e);
        }
    }
}
