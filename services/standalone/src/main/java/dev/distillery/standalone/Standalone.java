package dev.distillery.standalone;

import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

import dev.distillery.embedded.Embedded;
import dev.distillery.embedded.Ports;
import dev.distillery.events.TrainRequest;
import dev.distillery.standalone.console.Failures;
import dev.distillery.standalone.console.UserException;
import io.quarkus.runtime.Quarkus;
import org.apache.kafka.common.utils.Exit;

/** Runs in this JVM: configures and starts the services, lets {@link RunApplication} follow the runs, and stops in the right order. */
final class Standalone {
    private static final int STOP_SECONDS = 30;

    private final List<TrainRequest> requests;
    private final Home home;
    private final PrintWriter out;
    private final PrintWriter err;
    private final CountDownLatch ended = new CountDownLatch(1);
    private volatile boolean stopping;
    private volatile Throwable failure;
    private volatile int code = 1;
    private final int kafkaPort = Ports.free();
    private final int s3Port = Ports.free();

    private static volatile Standalone current;

    private Standalone(List<TrainRequest> requests, Home home, PrintWriter out, PrintWriter err) {
        this.requests = requests;
        this.home = home;
        this.out = out;
        this.err = err;
    }

    /** Returns the exit code when everything has stopped. */
    static int run(List<TrainRequest> requests, Home home, PrintWriter out, PrintWriter err) {
        Standalone standalone = new Standalone(requests, home, out, err);
        current = standalone;
        return standalone.run();
    }

    static Standalone current() {
        return current;
    }

    List<TrainRequest> requests() {
        return requests;
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
        out.println("Starting the services, a Kafka broker (localhost:" + kafkaPort
                + ") and an S3 store (http://127.0.0.1:" + s3Port + ") in " + home.dir());
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
        Embedded.settings(kafkaPort, s3Port).forEach(System::setProperty);
        System.setProperty("distillery.standalone.home", home.dir().toString());
        System.setProperty("distillery.standalone.kafka-port", Integer.toString(kafkaPort));
        System.setProperty("distillery.standalone.s3-port", Integer.toString(s3Port));
        System.setProperty("distillery.work-dir", home.work().toString());
        System.setProperty("distillery.sources.folders", folders());
        System.setProperty("quarkus.log.file.path", home.logFile().toString());
    }

    /** The services read the files of these requests, and of others what the environment allows. */
    private String folders() {
        String others = System.getenv("DISTILLERY_SOURCES_FOLDERS");
        return OwnFolders.setting(requests) + (others == null || others.isBlank() ? "" : "," + others);
    }

    /** Runs in the JVM's shutdown; the JVM ends when it returns, so it waits for the broker's orderly end. */
    private void onSignal() {
        if (ended.getCount() == 0) {
            return;
        }
        stopping = true;
        out.println();
        out.println("Stopping.");
        out.flush();
        try {
            // Only then can nobody else write a line after it.
            boolean inOrder = ended.await(STOP_SECONDS, TimeUnit.SECONDS);
            out.println(
                    (inOrder ? "Stopped." : "Not everything stopped within " + STOP_SECONDS + " s; nothing is lost.")
                            + " The same command goes on from here.");
            out.flush();
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
