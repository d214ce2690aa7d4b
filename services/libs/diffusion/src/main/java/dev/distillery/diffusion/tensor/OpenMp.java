package dev.distillery.diffusion.tensor;

import com.sun.jna.Library;
import com.sun.jna.Native;
import com.sun.jna.Platform;

/** libtorch's CPU threads. */
final class OpenMp {
    private OpenMp() {}

    /** The C library's own environment, which {@code System.getenv} does not show. */
    private interface LibC extends Library {
        int setenv(String name, String value, int overwrite);
    }

    /**
     * Lets idle threads spin for some microseconds only. Operators follow each other so closely that threads which go to
     * sleep at once make a step a third slower; but with OpenMP's own 3 ms, as soon as another process wants the cores (a
     * second trainer, a browser), each parallel section waits for a spinning thread to be preempted, and steps take ten
     * times as long. OpenMP reads this when it is loaded, so it has to be set before the engine starts; what the user has
     * set stays.
     */
    static void spinBriefly() {
        if (!Platform.isWindows() && System.getenv("OMP_WAIT_POLICY") == null) {
            Native.load("c", LibC.class).setenv("GOMP_SPINCOUNT", "1000", 0);
        }
    }
}
