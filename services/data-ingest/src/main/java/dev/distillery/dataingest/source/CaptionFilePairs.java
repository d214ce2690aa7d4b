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
    private final Map<String, String> captions; // name of the caption's file by the stem that it shares with the image

    private CaptionFilePairs(FileTree tree, List<Entry> images, Map<String, String> captions) {
        this.tree = tree;
        this.images = images;
        this.captions = captions;
    }

    /** Null if no image of the tree has a caption beside it. */
    static CaptionFilePairs find(FileTree tree) throws IOException {
        List<Entry> images = tree.files().stream()
                .filter(file -> ImageFiles.isImage(file.name()))
                .toList();
        Map<String, String> captions = new HashMap<>();
        for (Entry file : tree.files()) {
            if (EXTENSIONS.contains(ImageFiles.extension(file.name()))) {
                captions.merge(
                        ImageFiles.stem(file.name()), file.name(), (a, b) -> a.endsWith(EXTENSIONS.get(0)) ? a : b);
            }
        }
        boolean any = images.stream().anyMatch(image -> captions.containsKey(ImageFiles.stem(image.name())));
        return any ? new CaptionFilePairs(tree, images, captions) : null;
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
        String caption = captions.get(ImageFiles.stem(image.name()));
        String text = null;
        if (caption != null) {
            try (InputStream in = tree.open(caption)) {
                text = ImageFiles.caption(in);
            }
        }
        try (InputStream in = tree.open(image.name())) {
            return ImageFiles.pair(image.name(), in, image.size(), text);
        }
    }
}
