package dev.distillery.trainer;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

import io.quarkus.runtime.configuration.MemorySize;
import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;

/** Settings of a trainer process. */
@ConfigMapping(prefix = "distillery.trainer")
interface TrainerConfig {

    /**
     * Who this trainer is in a lease. A trainer that comes back under the same id takes its own runs up at once; under
     * another it first waits for the lease to become stale. By default host name and process, which is right when
     * neither is kept over restarts.
     */
    Optional<String> id();

    /**
     * How long a lease holds without being renewed; it is renewed at a third of it. A trainer that was killed is replaced
     * after this long. Longer than a pause of the store or of garbage collection.
     */
    @WithDefault("60s")
    Duration leaseTtl();

    /**
     * Over which a batch is split, such as {@code cuda:0,cuda:1}: each has teacher and student, the first the optimizer's
     * state as well. All GPUs by default, or the CPU.
     */
    Optional<List<String>> devices();

    /**
     * What a run may use of each device's memory, such as {@code 24G}; all of it by default. A run that is estimated to need
     * more fails before it starts, with what would help; data-ingest, which has no GPU, rejects it already if this is set there.
     */
    Optional<MemorySize> deviceMemory();

    /** How much of its disk a trainer takes for latents; a larger data set is fetched piece by piece, ahead of its use. */
    @WithDefault("32G")
    MemorySize latentsCache();

    /** How long a trainer waits for room on its own disk before the run fails. */
    @WithDefault("10m")
    Duration diskPatience();

    /**
     * How long the training thread may show no sign of life before the process counts as dead. Longer than a step, and than
     * fetching and opening the largest teacher.
     */
    @WithDefault("30m")
    Duration stepTimeout();

    /** How many runs the process works on before it ends with exit code 0; it takes new ones for ever by default. */
    OptionalInt runs();

    /** How long the process finds nothing to do before it ends with exit code 0; it waits for ever by default. */
    Optional<Duration> idleTimeout();

    /** How long an idle trainer waits before it looks at the queue again; an event wakes it sooner. */
    @WithDefault("2s")
    Duration poll();
}
