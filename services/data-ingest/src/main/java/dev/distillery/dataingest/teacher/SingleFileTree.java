package dev.distillery.dataingest.teacher;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Pattern;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.artifacts.Digest;
import dev.distillery.dataingest.source.FileTree;
import dev.distillery.dataingest.source.SourceException;
import dev.distillery.diffusion.distill.Layouts;
import dev.distillery.diffusion.safetensors.SafetensorsException;
import dev.distillery.diffusion.safetensors.SafetensorsFile;
import dev.distillery.diffusion.singlefile.SingleFileFolder;
import dev.distillery.diffusion.singlefile.SingleFileSource;
import dev.distillery.diffusion.unet.UNetConfig;

/**
 * A model in a single file, or its auto-encoder, as the diffusers folder that it stands for. Only its header is read until weights are asked for;
 * then a file of another machine is copied to this one, once, until {@link #release}.
 */
public final class SingleFileTree implements FileTree {
    private static final Pattern SINGLE = Pattern.compile(".*/[^/]+\\.(safetensors|ckpt|bin|pth?)");

    private static final List<String> CARDS = List.of("README.md", "LICENSE", "LICENSE.md", "LICENSE.txt");

    private final String uri;
    private final FileTree tree;
    private final String name;
    private final SingleFileFolder folder;
    private final Map<String, Long> files;
    private final List<String> cards; // files beside it that speak of it
    private String digest;
    private LocalFile copy;
    private SafetensorsFile weights;

    private SingleFileTree(String uri, FileTree tree, String name, SingleFileFolder folder) throws IOException {
        this.uri = uri;
        this.tree = tree;
        this.name = name;
        this.folder = folder;
        this.files = new TreeMap<>(folder.files());
        this.cards = cards(tree);
        for (String card : cards) {
            files.put(card, tree.size(card));
        }
    }

    /** Those of a repository; on this machine, what lies beside a file need not be about it. */
    private static List<String> cards(FileTree tree) throws IOException {
        List<String> there = new ArrayList<>();
        for (String card : tree.isLocal() ? List.<String>of() : CARDS) {
            if (tree.has(card)) {
                there.add(card);
            }
        }
        return there;
    }

    /** Whether an address names a file rather than a folder. */
    public static boolean isOne(String uri) {
        return SINGLE.matcher(uri).matches();
    }

    /** The address of the folder that the file is in. */
    public static String folder(String uri) {
        return uri.substring(0, uri.lastIndexOf('/') + 1);
    }

    /**
     * @param field the request's field that has the address
     * @param tree the folder that the file is in
     * @param otherVae whether another auto-encoder is taken
     * @throws SourceException saying what the file is, or lacks, if it is no teacher
     */
    public static SingleFileTree of(String field, String uri, FileTree tree, boolean otherVae) throws IOException {
        Source source = source(field, uri, tree);
        try {
            var folder = SingleFileFolder.of(source);
            if (folder.vae().isEmpty() && !otherVae) {
                throw new SourceException(
                        field,
                        uri + " has no auto-encoder (first_stage_model.*): name a file that has one, or an auto-encoder"
                                + " by teacher.vae");
            }
            return new SingleFileTree(uri, tree, source.file, folder);
        } catch (IllegalArgumentException | SafetensorsException e) {
            throw new SourceException(field, e.getMessage());
        }
    }

    /**
     * The auto-encoder in a file, with a whole model or alone.
     *
     * @param field the request's field that has the address
     * @param tree the folder that the file is in
     * @param teacher whose auto-encoder it replaces, if it was found
     * @throws SourceException saying what the file is, or lacks, if it has none
     */
    public static SingleFileTree vae(String field, String uri, FileTree tree, Optional<FileTree> teacher)
            throws IOException {
        Source source = source(field, uri, tree);
        try {
            return new SingleFileTree(uri, tree, source.file, SingleFileFolder.vae(source, usualVae(teacher)));
        } catch (IllegalArgumentException | SafetensorsException e) {
            throw new SourceException(field, e.getMessage());
        }
    }

    /** What a teacher's auto-encoder is configured as: its own, else that of its family. */
    private static ObjectNode usualVae(Optional<FileTree> teacher) throws IOException {
        try {
            Optional<ObjectNode> own = json(teacher, "vae/config.json");
            return own.isPresent()
                    ? own.get()
                    : SingleFileFolder.usualVae(Layouts.family(
                            UNetConfig.of(json(teacher, "unet/config.json").orElseThrow())));
        } catch (RuntimeException | JsonProcessingException e) {
            return SingleFileFolder.usualVae(
                    "sdxl"); // of no use: such a teacher is refused, with what is wrong with it
        }
    }

    private static Optional<ObjectNode> json(Optional<FileTree> tree, String file) throws IOException {
        if (tree.isEmpty() || !tree.get().has(file)) {
            return Optional.empty();
        }
        try (InputStream in = tree.get().open(file)) {
            return new ObjectMapper().readTree(in) instanceof ObjectNode object
                    ? Optional.of(object)
                    : Optional.empty();
        }
    }

    private static Source source(String field, String uri, FileTree tree) throws SourceException, IOException {
        String name = uri.substring(uri.lastIndexOf('/') + 1);
        if (!name.endsWith(".safetensors")) {
            throw new SourceException(
                    field, uri + " is pickled; loading a pickle can run any code, so convert it to safetensors");
        }
        if (!tree.has(name)) {
            throw new SourceException(field, "there is no " + uri);
        }
        return new Source(uri, tree, name);
    }

    private record Source(String name, FileTree tree, String file) implements SingleFileSource {
        @Override
        public long size() throws IOException {
            return tree.size(file);
        }

        @Override
        public byte[] read(long offset, int length) throws IOException {
            return tree.read(file, offset, length);
        }

        @Override
        public Optional<byte[]> beside(String other) throws IOException {
            if (!tree.has(other)) {
                return Optional.empty();
            }
            try (InputStream in = tree.open(other)) {
                return Optional.of(in.readAllBytes());
            }
        }
    }

    @Override
    public String uri() {
        return uri;
    }

    @Override
    public String pinnedUri() {
        return tree.pinnedUri().replaceFirst("/*$", "/") + name;
    }

    @Override
    public List<Entry> files() {
        return files.entrySet().stream()
                .map(file -> new Entry(file.getKey(), file.getValue()))
                .toList();
    }

    @Override
    public InputStream open(String file) throws IOException {
        if (!files.containsKey(file)) {
            throw new NoSuchFileException(uri + " has no part " + file);
        }
        return cards.contains(file) ? tree.open(file) : folder.open(file, folder.isWeights(file) ? weights() : null);
    }

    private synchronized SafetensorsFile weights() throws IOException {
        if (weights == null) {
            release(); // of one that could not be opened
            copy = tree.local(name);
            weights = SafetensorsFile.open(copy.path());
        }
        return weights;
    }

    @Override
    public synchronized void release() throws IOException {
        if (weights != null) {
            weights.close();
            weights = null;
        }
        if (copy != null) {
            copy.close();
            copy = null;
        }
    }

    @Override
    public LocalFile local(String file) throws IOException {
        return LocalFile.copyOf(open(file));
    }

    /** Of weights, the whole single file's: which part of it they are is a matter of its header. */
    @Override
    public synchronized String digest(String file) throws IOException {
        if (!folder.isWeights(file)) {
            try (InputStream in = open(file)) {
                return Digest.of(in);
            }
        }
        if (digest == null) {
            digest = tree.digest(name);
        }
        return digest;
    }

    @Override
    public boolean isLocal() {
        return false;
    }
}
