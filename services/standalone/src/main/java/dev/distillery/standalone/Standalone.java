package dev.distillery.standalone;

import java.io.PrintWriter;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

import dev.distillery.embedded.Embedded;
import dev.distillery.embedded.Ports;
import dev.distillery.events.TrainRequest;
import io.quarkus.runtime.Quarkus;
import org.apache.kafka.common.utils.Exit;

/** One run in this JVM: configures and starts the services, lets {@link RunApplication} follow the run, and stops in the right order. */
final class Standalone {
    private static final int STOP_SECONDS = 30;

    private final TrainRequest request;
    private final Home home;
    private final PrintWriter out;
    private final PrintWriter err;
    private final CountDownLatch ended = new CountDownLatch(1);
    private volatile boolean stopping;
    private volatile Throwable failure;
    private volatile int code = 1;

    private static volatile Standalone current;

    private Standalone(TrainRequest request, Home home, PrintWriter out, PrintWriter err) {
        this.request = request;
        this.home = home;
        this.out = out;
        this.err = err;
    }

    /** Returns the exit code when everything has stopped. */
    static int run(TrainRequest request, Home home, PrintWriter out, PrintWriter err) {
        Standalone standalone = new Standalone(request, home, out, err);
        current = standalone;
        return standalone.run();
    }

    static Standalone current() {
        return current;
    }

    TrainRequest request() {
        return request;
    }

    Home home() {
        return home;
    }

    PrintWriter out() {
        return out;
    }

    /** Tells the user about a failure while the services run; returns the exit code. */
    int failed(Throwable thrown) {
        int exitCode = Failures.report(err, thrown);
        err.flush();
        return exitCode;
    }

    /** True from the moment that the process was told to end. */
    boolean stopping() {
        return stopping;
    }

    private int run() {
        configure();
        Thread onSignal = new Thread(this::onSignal, "distillery-stop");
        Runtime.getRuntime().addShutdownHook(onSignal);
        haltWithAReason();
        out.println("Starting the services and their Kafka broker and S3 store in " + home.dir());
        out.flush();
        Quarkus.run(RunApplication.class, (exitCode, thrown) -> {
            code = exitCode;
            failure = thrown;
            Infrastructure.stop();
            ended.countDown();
        });
        Infrastructure.stop(); // when the start failed half-way
        ended.countDown();
        if (!stopping) {
            Runtime.getRuntime().removeShutdownHook(onSignal);
        }
        if (failure != null) {
            throw UserException.failed(
                    "The services did not start: " + Failures.explain(failure) + "\nDetails: " + home.logFile(),
                    failure);
        }
        return code;
    }

    private void configure() {
        int kafkaPort = Ports.free();
        int s3Port = Ports.free();
        Embedded.settings(kafkaPort, s3Port).forEach(System::setProperty);
        System.setProperty("distillery.standalone.home", home.dir().toString());
        System.setProperty("distillery.standalone.kafka-port", Integer.toString(kafkaPort));
        System.setProperty("distillery.standalone.s3-port", Integer.toString(s3Port));
        System.setProperty("distillery.work-dir", home.work().toString());
        System.setProperty("quarkus.log.file.path", home.logFile().toString());
    }

    /** Runs in the JVM's shutdown; the JVM ends when it returns, so it waits for the broker's orderly end. */
    private void onSignal() {
        if (ended.getCount() == 0) {
            return;
        }
        stopping = true;
        out.println();
        out.println("Stopping. The same command goes on from here.");
        out.flush();
        try {
            if (!ended.await(STOP_SECONDS, TimeUnit.SECONDS)) {
                err.println("Not everything stopped within " + STOP_SECONDS + " s; nothing that was finished is lost.");
                err.flush();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Kafka ends the process when it cannot write its log: without this, without a word. */
    private void haltWithAReason() {
        Exit.setHaltProcedure((status, message) -> {
            err.println("The Kafka broker gave up" + (message == null ? "" : " (" + message + ")") + ": is the disk of "
                    + home.dir() + " full or gone? Details: " + home.logFile());
            err.println("Put it right; the same command goes on from here.");
            err.flush();
            Runtime.getRuntime().halt(1);
        });
    }
}
