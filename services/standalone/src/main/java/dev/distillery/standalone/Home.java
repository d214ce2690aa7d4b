package dev.distillery.standalone;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

import dev.distillery.standalone.console.UserException;

/**
 * The folder that holds everything of the standalone: {@code kafka/}, {@code s3/}, {@code work/}, {@code log/} and the results in
 * {@code runs/}. One process at a time; the lock goes with the process, however it ends.
 */
final class Home implements AutoCloseable {
    /** Below this, the broker's and the store's writes would soon fail half-way. */
    static final long LEAST_FREE_BYTES = 256L << 20;

    private final Path dir;
    private final FileChannel channel;

    private Home(Path dir, FileChannel channel) {
        this.dir = dir;
        this.channel = channel;
    }

    /** @throws UserException when it cannot be written, is in use, or its disk is full; says what to do */
    static Home open(Path path) {
        Path dir = path.toAbsolutePath().normalize();
        try {
            Files.createDirectories(dir);
            FileChannel channel =
                    FileChannel.open(dir.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            if (!lock(channel)) {
                channel.close();
                throw UserException.badInput("Another distillery is using " + dir
                        + ". Wait until it is done, stop it, or give this one another folder with --home.");
            }
            Home home = new Home(dir, channel);
            home.requireSpace();
            return home;
        } catch (IOException e) {
            throw UserException.badInput("The folder " + dir + " cannot be written (" + e
                    + "). Make it writable, or choose another one with --home.");
        }
    }

    private static boolean lock(FileChannel channel) throws IOException {
        try {
            FileLock lock = channel.tryLock();
            return lock != null;
        } catch (OverlappingFileLockException e) {
            return false;
        }
    }

    /** @throws UserException when the disk is so full that the broker would be the next to fail */
    void requireRoomToGoOn() {
        try {
            if (freeBytes() < LEAST_FREE_BYTES / 8) {
                throw UserException.failed(
                        "The disk of " + dir + " is full. Make room; the same command goes on from here.", null);
            }
        } catch (IOException e) {
            throw UserException.failed("The folder " + dir + " is gone: " + e, e);
        }
    }

    private void requireSpace() throws IOException {
        long free = freeBytes();
        if (free < LEAST_FREE_BYTES) {
            close();
            throw UserException.badInput("The disk of " + dir + " has " + (free >> 20) + " MiB left; at least "
                    + (LEAST_FREE_BYTES >> 20) + " MiB are needed. Make room, or choose another folder with --home.");
        }
    }

    long freeBytes() throws IOException {
        return Files.getFileStore(dir).getUsableSpace();
    }

    Path dir() {
        return dir;
    }

    Path logFile() {
        return dir.resolve("log/distillery.log");
    }

    Path work() {
        return dir.resolve("work");
    }

    /** Where a run's report and weights are put for its user. */
    Path results(String run) {
        return dir.resolve("runs").resolve(run);
    }

    /** The page that compares the runs of one command. */
    Path comparison() {
        return dir.resolve("runs").resolve("comparison.html");
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            throw UserException.failed("The lock of " + dir + " cannot be released: " + e, e);
        }
    }
}
