package dev.distillery.standalone.installation;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.function.LongConsumer;

import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.standalone.console.UserException;

/**
 * Fetches a file into a folder. What came before a break is in a hidden file beside it, from whose end it goes on; under its own name
 * the file appears whole and checked.
 */
final class Download {
    private static final int BUFFER = 1 << 18;
    /** In a row, without a byte between. */
    private static final int MOST_BREAKS = 3;

    private final ArtifactStore store;
    private final Path folder;
    private final LongConsumer progress;

    /** @param progress told bytes as they come, and those that need not come */
    Download(ArtifactStore store, Path folder, LongConsumer progress) {
        this.store = store;
        this.folder = folder;
        this.progress = progress;
    }

    /**
     * True if it came, false if it was there.
     *
     * @throws UserException if it is not what it should be, twice
     * @throws IOException if the disk cannot be written, or the connection breaks again and again
     */
    boolean fetch(FetchedFile file) throws IOException {
        Path to = folder.resolve(file.name()).normalize();
        if (!to.startsWith(folder)) {
            throw UserException.failed(
                    "The store names a file '" + file.name() + "', which would leave " + folder, null);
        }
        if (Files.isRegularFile(to) && isWhole(file, to)) {
            progress.accept(file.size());
            return false;
        }
        Files.createDirectories(to.getParent());
        String hidden = "." + to.getFileName() + ".";
        Path part =
                to.resolveSibling(hidden + Integer.toHexString(file.version().hashCode()) + ".part");
        boolean begun = Files.exists(part);
        read(file, part);
        if (begun && !isWhole(file, part)) { // the part was not what came before
            Files.delete(part);
            progress.accept(-file.size());
            read(file, part);
        }
        if (!isWhole(file, part)) {
            Files.delete(part);
            throw UserException.failed(
                    file.key() + " is not what "
                            + file.digest()
                                    .map(digest ->
                                            "it should be: its " + digest.algorithm() + " is not " + digest.hex())
                                    .orElse("was announced: it has another size than " + file.size())
                            + ". It was not kept.",
                    null);
        }
        Files.move(part, to, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        deleteParts(to.getParent(), hidden);
        return true;
    }

    private void read(FetchedFile file, Path part) throws IOException {
        long there = Files.exists(part) ? Files.size(part) : 0;
        if (there > file.size()) {
            Files.delete(part);
            there = 0;
        }
        progress.accept(there);
        for (int breaks = 0; there < file.size() || !Files.exists(part); ) {
            IOException broken = append(file, part, there);
            long now = Files.size(part);
            breaks = now > there ? 0 : breaks + 1;
            if (breaks > MOST_BREAKS) {
                throw broken == null ? new IOException(file.key() + " ends too early") : broken;
            }
            there = now;
        }
    }

    /** Returns what broke it off; null if nothing did. */
    private IOException append(FetchedFile file, Path part, long from) throws IOException {
        try (OutputStream out = Files.newOutputStream(part, StandardOpenOption.CREATE, StandardOpenOption.APPEND)) {
            return file.size() == 0 ? null : copy(file, from, out);
        }
    }

    private IOException copy(FetchedFile file, long from, OutputStream out) throws IOException {
        byte[] buffer = new byte[BUFFER];
        try (InputStream in = store.open(file.key(), from, file.size() - from)) {
            for (int n = read(in, buffer); n >= 0; n = read(in, buffer)) {
                out.write(buffer, 0, n);
                progress.accept(n);
            }
            return null;
        } catch (BrokenException e) {
            return e;
        }
    }

    /** The connection's trouble, not the disk's. */
    private static final class BrokenException extends IOException {
        private static final long serialVersionUID = 1L;

        BrokenException(IOException cause) {
            super(cause.getMessage(), cause);
        }
    }

    private static int read(InputStream in, byte[] buffer) throws BrokenException {
        try {
            return in.read(buffer);
        } catch (IOException e) {
            throw new BrokenException(e);
        }
    }

    private static boolean isWhole(FetchedFile file, Path there) throws IOException {
        if (Files.size(there) != file.size()) {
            return false;
        }
        return file.digest().isEmpty()
                || hex(file.digest().get().algorithm(), there)
                        .equals(file.digest().get().hex());
    }

    private static String hex(String algorithm, Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            MessageDigest digest = MessageDigest.getInstance(algorithm);
            byte[] buffer = new byte[BUFFER];
            for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                digest.update(buffer, 0, n);
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Those of other versions, which nobody will go on with. */
    private static void deleteParts(Path dir, String hidden) throws IOException {
        try (DirectoryStream<Path> parts = Files.newDirectoryStream(
                dir,
                path -> path.getFileName().toString().startsWith(hidden)
                        && path.getFileName().toString().matches("\\..+\\.[0-9a-f]{1,8}\\.part"))) {
            for (Path part : parts) {
                Files.delete(part);
            }
        }
    }
}
