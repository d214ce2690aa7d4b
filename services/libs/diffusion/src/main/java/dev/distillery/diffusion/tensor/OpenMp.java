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
     * Lets idle threads sleep instead of spin. Spinning gains nothing at our operators' sizes, and as soon as anything else
     * wants the cores (broker and store in the same process, a second trainer, a browser) each parallel section waits for a
     * spinning thread to be preempted: steps then take ten times as long. OpenMP reads this when it is loaded, so it has to
     * be set before the engine starts; a value that the user has set stays.
     */
    static void waitAsleep() {
        if (!Platform.isWindows()) {
            Native.load("c", LibC.class).setenv("OMP_WAIT_POLICY", "PASSIVE", 0);
        }
    }
}
