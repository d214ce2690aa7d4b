package dev.distillery.standalone;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.distillery.diffusion.distill.Layouts;
import dev.distillery.diffusion.distill.Student;
import dev.distillery.diffusion.unet.UNetConfig;
import dev.distillery.events.InvalidRequestException;
import dev.distillery.events.TrainRequest;
import dev.distillery.events.Violation;

/**
 * A train request in a YAML or JSON file. A path in it, such as {@code file:./teacher} or {@code ./teacher}, is relative to the file's
 * own folder, so that an example works wherever the command is run; the services get absolute {@code file:///} addresses.
 */
final class RequestFile {
    private static final YAMLMapper YAML = new YAMLMapper();
    private static final Pattern SCHEME = Pattern.compile("[a-zA-Z][a-zA-Z0-9+.-]+:.*");
    private static final String FILE = "file:";

    private RequestFile() {}

    /** @throws UserException naming the file and every wrong field: path, value and what is allowed */
    static TrainRequest read(Path file) {
        try {
            TrainRequest request = TrainRequest.parse(withAbsolutePaths(file));
            List<Violation> violations = checkLocally(request);
            if (!violations.isEmpty()) {
                throw new InvalidRequestException(violations);
            }
            return request;
        } catch (InvalidRequestException e) {
            throw UserException.badInput(
                    file + " is not a train request that can be run:\n" + describe(e.violations()));
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

    static String describe(List<Violation> violations) {
        return violations.stream()
                .map(v -> "  " + v.path() + ": " + v.message() + (v.value() == null ? "" : ", but is " + v.value()))
                .collect(Collectors.joining("\n"));
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

    /** What this machine can see before anything is started. */
    private static List<Violation> checkLocally(TrainRequest request) {
        List<Violation> violations = new ArrayList<>();
        checkThere("dataset.source", request.dataset().source(), violations);
        checkThere("teacher.vae", request.teacher().vae(), violations);
        if (checkThere("teacher.model", request.teacher().model(), violations)) {
            checkLayout(request, violations);
        }
        return violations;
    }

    /** False when it is elsewhere, or missing. */
    private static boolean checkThere(String field, String source, List<Violation> violations) {
        if (source == null || !source.startsWith("file://")) {
            return false;
        }
        if (!Files.isReadable(local(source))) {
            violations.add(new Violation(field, source, "there is no such file or folder"));
            return false;
        }
        return true;
    }

    private static void checkLayout(TrainRequest request, List<Violation> violations) {
        String model = request.teacher().model();
        UNetConfig teacher;
        try {
            teacher = UNetConfig.read(local(model).resolve("unet"));
        } catch (RuntimeException e) {
            violations.add(new Violation(
                    "teacher.model", model, "must be a diffusers folder with unet/config.json: " + e.getMessage()));
            return;
        }
        try {
            Student.of(
                    teacher,
                    Layouts.of(
                            teacher,
                            request.student().layout(),
                            request.student().keep()));
        } catch (IllegalArgumentException e) {
            violations.add(request.student().violation(e.getMessage()));
        }
    }

    private static Path local(String source) {
        return Path.of(source.substring("file://".length()));
    }
}
