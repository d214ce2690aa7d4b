package dev.distillery.trainer.run;

import java.util.Optional;

/** What a run asks between steps and before it writes. */
public interface RunControls {

    /** Why a run stops before its end. */
    enum Stop {
        /** Somebody cancelled the run: no checkpoint is taken, the run is over. */
        CANCELLED,
        /** Somebody paused the run: a checkpoint is taken, the run waits until it is resumed. */
        PAUSED,
        /** This process ends: a checkpoint is taken, another trainer goes on from it. */
        SHUTDOWN
    }

    /** Empty while the run is to go on. */
    Optional<Stop> stop();

    /** Throws the lease's exception when another trainer has taken the run over; nothing may be written then. */
    void ensureOurs();
}
