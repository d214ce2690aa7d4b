package dev.distillery.dataingest.source;

import java.io.IOException;
import java.io.InputStream;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

import dev.distillery.dataingest.source.FileTree.Entry;

/** Images with their captions in files beside them, {@code x.png} and {@code x.txt} or {@code x.caption}, as kohya's scripts read them. */
final class CaptionFilePairs implements PairSource {
    private static final List<String> EXTENSIONS = List.of("txt", "caption");

    private final FileTree tree;
    private final List<Entry> images;
    private final Caption captions;

    private interface Caption {
        /** Null if there is none. */
        String of(String image) throws IOException;
    }

    private CaptionFilePairs(FileTree tree, List<Entry> images, Caption captions) {
        this.tree = tree;
        this.images = images;
        this.captions = captions;
    }

    /** Every image of the tree, with the same caption. */
    static CaptionFilePairs all(FileTree tree, String caption) throws IOException {
        return new CaptionFilePairs(tree, images(tree), image -> caption);
    }

    /** Null if no image of the tree has a caption beside it. */
    static CaptionFilePairs find(FileTree tree) throws IOException {
        List<Entry> images = images(tree);
        Map<String, String> captions = new HashMap<>();
        for (Entry file : tree.files()) {
            if (EXTENSIONS.contains(ImageFiles.extension(file.name()))) {
                captions.merge(
                        ImageFiles.stem(file.name()), file.name(), (a, b) -> a.endsWith(EXTENSIONS.get(0)) ? a : b);
            }
        }
        boolean any = images.stream().anyMatch(image -> captions.containsKey(ImageFiles.stem(image.name())));
        return any
                ? new CaptionFilePairs(tree, images, image -> beside(tree, captions.get(ImageFiles.stem(image))))
                : null;
    }

    private static List<Entry> images(FileTree tree) throws IOException {
        return tree.files().stream()
                .filter(file -> ImageFiles.isImage(file.name()))
                .toList();
    }

    private static String beside(FileTree tree, String file) throws IOException {
        if (file == null) {
            return null;
        }
        try (InputStream in = tree.open(file)) {
            return ImageFiles.caption(in);
        }
    }

    @Override
    public long size() {
        return images.size();
    }

    @Override
    public Cursor from(long position) {
        return new Cursor() {
            private int next = (int) Math.min(position, images.size());

            @Override
            public Pair next() throws IOException {
                return next == images.size() ? null : pair(images.get(next++));
            }

            @Override
            public void close() {
                // every file was closed when it was read
            }
        };
    }

    private Pair pair(Entry image) throws IOException {
        String text = captions.of(image.name());
        try (InputStream in = tree.open(image.name())) {
            return ImageFiles.pair(image.name(), in, image.size(), text);
        }
    }
}
