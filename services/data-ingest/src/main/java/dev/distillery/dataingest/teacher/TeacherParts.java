package dev.distillery.dataingest.teacher;

import java.io.IOException;
import java.io.InputStream;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.distillery.dataingest.source.FileTree;
import dev.distillery.dataingest.source.FileTree.Entry;
import dev.distillery.dataingest.source.SourceException;
import dev.distillery.dataingest.teacher.TeacherFiles.File;
import dev.distillery.diffusion.safetensors.SafetensorsException;
import dev.distillery.diffusion.safetensors.SafetensorsFolder;

/** Collects the components of a diffusers folder: their weights as safetensors, in one variant, and their small files. */
final class TeacherParts {
    private static final String CARD = "README\\.md|(?i:LICEN[SC]E)[^/]*";
    private static final String PICKLED = ".*\\.(bin|ckpt|pt|pth)";

    private final FileTree tree;
    private final String prefix;
    private final String field;
    private final List<SourceException> problems;
    private final Map<String, File> files = new LinkedHashMap<>();

    /**
     * @param prefix what a file's name in the teacher has in front of its name in the tree
     * @param field the request's field that names the tree
     */
    TeacherParts(FileTree tree, String prefix, String field, List<SourceException> problems) {
        this.tree = tree;
        this.prefix = prefix;
        this.field = field;
        this.problems = problems;
    }

    Map<String, File> files() {
        return files;
    }

    void require(String target) throws IOException {
        String name = target.substring(prefix.length());
        if (tree.has(name)) {
            files.put(target, new File(tree, name));
        } else {
            missing(name);
        }
    }

    /** Takes what the model says of itself and under which terms: a student's card needs it. */
    void card() throws IOException {
        for (Entry file : tree.files()) {
            if (file.name().matches(CARD)) {
                require(prefix + file.name());
            }
        }
    }

    /** Takes a component's weights and all its text files, of which some must be there. */
    void component(String component, boolean weights, String... required) throws IOException {
        String folder = (component + "/").substring(prefix.length());
        for (String name : required) {
            require(prefix + folder + name);
        }
        for (Entry file : tree.files()) {
            String name = file.name();
            boolean text = name.endsWith(".txt") || name.endsWith(".json") && !name.contains(".index.");
            if (text && name.startsWith(folder) && name.indexOf('/', folder.length()) < 0) {
                files.put(prefix + name, new File(tree, name));
            }
        }
        if (weights) {
            weights(folder);
        }
    }

    private void weights(String folder) throws IOException {
        List<String> names = tree.files().stream()
                .map(Entry::name)
                .filter(name -> name.startsWith(folder) && name.indexOf('/', folder.length()) < 0)
                .map(name -> name.substring(folder.length()))
                .toList();
        Optional<String> weights;
        try {
            weights = SafetensorsFolder.preferred(tree.uri() + "/" + folder, names);
        } catch (SafetensorsException e) {
            problems.add(new SourceException(field, e.getMessage()));
            return;
        }
        if (weights.isPresent()) {
            require(prefix + folder + weights.get());
            if (weights.get().endsWith(".json")) {
                shards(folder, folder + weights.get());
            }
            return;
        }
        String pickled = String.join(
                ", ",
                tree.files().stream()
                        .map(Entry::name)
                        .filter(n -> n.startsWith(folder) && n.matches(PICKLED))
                        .toList());
        if (pickled.isEmpty()) {
            missing(folder
                    + (folder.contains("encoder") ? "model.safetensors" : "diffusion_pytorch_model.safetensors"));
        } else {
            problem("has pickled weights only (" + pickled
                    + "); loading a pickle can run any code, so convert it to safetensors");
        }
    }

    private void shards(String folder, String index) throws IOException {
        try (InputStream in = tree.open(index)) {
            var shards = new TreeSet<String>();
            JsonNode map = new ObjectMapper().readTree(in).path("weight_map");
            if (map.isEmpty()) {
                problem("has an index that lists no weights, " + index);
            }
            map.forEach(shard -> shards.add(shard.asText()));
            for (String shard : shards) {
                require(prefix + folder + shard);
            }
        } catch (JsonProcessingException e) {
            problem("has an index that is not JSON, " + index + ": " + e.getOriginalMessage());
        }
    }

    private void missing(String name) {
        problem("has no " + name);
    }

    private void problem(String what) {
        problems.add(new SourceException(field, tree.uri() + " " + what));
    }
}
