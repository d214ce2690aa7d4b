package dev.distillery.standalone.console;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** This process's resident memory, native tensors included. */
final class ResidentMemory {
    private static final Path STATUS = Path.of("/proc/self/status");

    private ResidentMemory() {}

    /** 0 where the system does not tell (not Linux). */
    static long bytes() {
        return kibibytes("VmRSS:") << 10;
    }

    /** The most it ever was; 0 where the system does not tell. */
    static long peakBytes() {
        return kibibytes("VmHWM:") << 10;
    }

    private static long kibibytes(String field) {
        try {
            for (String line : Files.readAllLines(STATUS)) {
                if (line.startsWith(field)) {
                    return Long.parseLong(line.replaceAll("[^0-9]", ""));
                }
            }
        } catch (IOException e) {
            return 0;
        }
        return 0;
    }
}
