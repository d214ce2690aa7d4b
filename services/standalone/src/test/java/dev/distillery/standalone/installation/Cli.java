package dev.distillery.standalone.installation;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.distillery.embedded.Embedded;
import dev.distillery.embedded.EmbeddedS3;
import dev.distillery.standalone.Main;
import picocli.CommandLine;

/** The command line as its user has it, with an environment of its own. */
public final class Cli {
    private final Map<String, String> env = new HashMap<>();
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    /** With no settings but those that are given. */
    public static Cli without(Path home) {
        Cli cli = new Cli();
        cli.env.put("HOME", home.toString());
        return cli;
    }

    public static Cli of(Embedded embedded) {
        return without(Path.of("/nonexistent"))
                .env("DISTILLERY_KAFKA_BOOTSTRAP_SERVERS", embedded.kafka().bootstrapServers())
                .env("DISTILLERY_STORE_ENDPOINT", embedded.s3().endpoint())
                .env("DISTILLERY_STORE_ACCESS_KEY", EmbeddedS3.ACCESS_KEY)
                .env("DISTILLERY_STORE_SECRET_KEY", EmbeddedS3.SECRET_KEY);
    }

    public Cli env(String name, String value) {
        env.put(name, value);
        return this;
    }

    /** Returns the exit code; what was said before is forgotten. */
    public int run(String... arguments) {
        out.getBuffer().setLength(0);
        err.getBuffer().setLength(0);
        CommandLine commandLine = Main.commandLine(env);
        commandLine.setOut(new PrintWriter(out, true));
        commandLine.setErr(new PrintWriter(err, true));
        return commandLine.execute(arguments);
    }

    public String out() {
        return out.toString();
    }

    public String err() {
        return err.toString();
    }

    public JsonNode json() {
        try {
            return new ObjectMapper().readTree(out());
        } catch (IOException e) {
            throw new AssertionError("not JSON: " + out(), e);
        }
    }
}
