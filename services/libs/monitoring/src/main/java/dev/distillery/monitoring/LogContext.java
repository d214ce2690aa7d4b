package dev.distillery.monitoring;

import org.jboss.logging.MDC;

/** What this thread's log lines are about, until it is closed: {@code mdc.run}, {@code .stage}, {@code .shard} of JSON logs. */
public final class LogContext implements AutoCloseable {
    private static final String RUN = "run";
    private static final String STAGE = "stage";
    private static final String SHARD = "shard";

    private LogContext() {}

    public static LogContext of(String run, String stage) {
        MDC.put(RUN, run);
        MDC.put(STAGE, stage);
        return new LogContext();
    }

    public static LogContext of(String run, String stage, int shard) {
        MDC.put(SHARD, String.valueOf(shard));
        return of(run, stage);
    }

    @Override
    public void close() {
        MDC.remove(RUN);
        MDC.remove(STAGE);
        MDC.remove(SHARD);
    }
}
