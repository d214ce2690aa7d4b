package dev.distillery.standalone.console;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.distillery.dataingest.Findings;
import dev.distillery.dataingest.Sources;
import dev.distillery.events.EvaluateRequest;
import dev.distillery.events.EventJson;
import dev.distillery.events.InvalidRequestException;
import dev.distillery.events.TrainRequest;
import dev.distillery.events.Violation;
import dev.distillery.planning.MemoryCheck.DeviceMemory;

/**
 * A train request in a YAML or JSON file. A path in it, such as {@code file:./teacher} or {@code ./teacher}, is relative to the file's
 * own folder, so that an example works wherever the command is run; the services get absolute {@code file:///} addresses.
 */
public final class RequestFile {
    private static final YAMLMapper YAML = new YAMLMapper();
    private static final Pattern SCHEME = Pattern.compile("[a-zA-Z][a-zA-Z0-9+.-]+:.*");
    private static final String FILE = "file:";
    private static final String TRAIN_REQUEST = "a train request that can be run";

    private RequestFile() {}

    /** A request whose sources were looked at, as far as they can be reached. */
    public record Checked(TrainRequest request, Findings found) {}

    private interface Reading<T> {
        T read() throws IOException;
    }

    /**
     * @param device that trains
     * @throws UserException naming the file and every wrong field: path, value and what is allowed
     */
    public static Checked read(Path file, Sources sources, DeviceMemory device) {
        return explained(file, TRAIN_REQUEST, () -> {
            TrainRequest request = TrainRequest.parse(withAbsolutePaths(file));
            Findings found = Findings.of(request, sources, Optional.of(device));
            if (!found.violations().isEmpty()) {
                throw new InvalidRequestException(found.violations());
            }
            return new Checked(request, found);
        });
    }

    /**
     * A request whose fields alone were looked at: its sources are for the services to find.
     *
     * @throws UserException as {@link #read}
     */
    public static TrainRequest parse(Path file) {
        return explained(file, TRAIN_REQUEST, () -> TrainRequest.parse(withAbsolutePaths(file)));
    }

    /**
     * A request to evaluate a run's student.
     *
     * @throws UserException as {@link #read}
     */
    public static EvaluateRequest parseEvaluate(Path file) {
        return explained(
                file, "an evaluate request", () -> EventJson.read(Files.readAllBytes(file), EvaluateRequest.class));
    }

    private static <T> T explained(Path file, String kind, Reading<T> reading) {
        try {
            return reading.read();
        } catch (InvalidRequestException e) {
            throw UserException.badInput(file + " is not " + kind + ":\n" + describe(e.violations()));
        } catch (JsonProcessingException e) {
            String at =
                    e.getLocation() == null ? "" : ", line " + e.getLocation().getLineNr();
            throw UserException.badInput(file + at + " is not YAML: " + e.getOriginalMessage());
        } catch (NoSuchFileException e) {
            throw UserException.badInput("There is no file " + file);
        } catch (IOException e) {
            throw UserException.badInput(file + " cannot be read: " + e);
        }
    }

    public static String describe(List<Violation> violations) {
        return violations.stream().map(RequestFile::describe).collect(Collectors.joining("\n"));
    }

    private static String describe(Violation violation) {
        String value = violation.value();
        boolean said = value == null || violation.message().contains(value);
        return "  " + violation.path() + ": " + violation.message() + (said ? "" : ", but is " + value);
    }

    private static String withAbsolutePaths(Path file) throws IOException {
        String text = Files.readString(file, StandardCharsets.UTF_8);
        JsonNode root = YAML.readTree(text);
        if (!root.isObject()) {
            return text; // for the contract's own words on it
        }
        Path folder = file.toAbsolutePath().getParent();
        makeAbsolute(root.get("teacher"), "model", folder);
        makeAbsolute(root.get("teacher"), "vae", folder);
        makeAbsolute(root.get("dataset"), "source", folder);
        makeAbsolute(root.get("dataset"), "validation", folder);
        makeAbsolute(root.get("subject"), "images", folder);
        return YAML.writeValueAsString(root);
    }

    private static void makeAbsolute(JsonNode parent, String field, Path folder) {
        if (parent instanceof ObjectNode object && object.get(field) instanceof TextNode text) {
            String source = text.asText();
            if (source.startsWith(FILE) && !source.startsWith(FILE + "//")) {
                object.put(field, address(folder.resolve(source.substring(FILE.length()))));
            } else if (!source.isBlank() && !SCHEME.matcher(source).matches()) {
                object.put(field, address(folder.resolve(source)));
            }
        }
    }

    private static String address(Path path) {
        return "file://" + path.normalize();
    }
}
