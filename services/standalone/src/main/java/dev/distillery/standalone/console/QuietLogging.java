package dev.distillery.standalone.console;

import java.util.logging.Handler;
import java.util.logging.LogRecord;

import io.quarkus.bootstrap.logging.InitialConfigurator;

/** For commands that do not start Quarkus: what the libraries log would otherwise be kept for a start that never comes, and then printed. */
public final class QuietLogging extends Handler {
    private QuietLogging() {}

    public static void install() {
        InitialConfigurator.DELAYED_HANDLER.setHandlers(new Handler[] {new QuietLogging()});
    }

    @Override
    public void publish(LogRecord record) {
        // failures reach the user as exceptions
    }

    @Override
    public void flush() {}

    @Override
    public void close() {}
}
