package dev.distillery.standalone;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

import dev.distillery.dataingest.source.FileTree;
import dev.distillery.dataingest.source.SourceException;
import dev.distillery.dataingest.teacher.TeacherFiles;
import dev.distillery.standalone.console.UserException;

/** A teacher's parts on this machine. */
final class TeacherFolders {
    private TeacherFolders() {}

    /**
     * @param address a folder, or what a request may name as its teacher
     * @param withUnet whether its U-Net is needed
     * @param scratch where one that is elsewhere is copied to
     * @throws UserException naming everything that it lacks
     */
    static Path of(String address, boolean withUnet, Path scratch) throws IOException {
        boolean folder = !address.contains("://");
        String uri = folder ? "file://" + Path.of(address).toAbsolutePath().normalize() : address;
        if (!Places.sources().reaches(uri)) {
            throw UserException.badInput(uri + " is in a store; set " + StoreSettings.NAMES);
        }
        try {
            FileTree tree = Places.sources().open("--teacher", uri);
            List<SourceException> problems = new ArrayList<>();
            TeacherFiles files = TeacherFiles.find(tree, null, problems);
            if (files == null) {
                throw problems.get(0);
            }
            Path local = Path.of(uri.substring(uri.indexOf("://") + 3));
            return tree.isLocal() && Files.isDirectory(local) ? local : copy(files, withUnet, scratch);
        } catch (SourceException e) {
            throw UserException.badInput("--teacher: " + e.getMessage());
        }
    }

    private static Path copy(TeacherFiles files, boolean withUnet, Path to) throws IOException {
        for (Map.Entry<String, TeacherFiles.File> file : files.files().entrySet()) {
            if (withUnet || !file.getKey().startsWith("unet/")) {
                Path copy = to.resolve(file.getKey());
                Files.createDirectories(copy.getParent());
                try (InputStream in = file.getValue().open()) {
                    Files.copy(in, copy);
                }
            }
        }
        return to;
    }
}
