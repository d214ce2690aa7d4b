package dev.distillery.dataingest.source;

import java.io.IOException;
import java.util.List;
import java.util.regex.Pattern;

import dev.distillery.dataingest.source.FileTree.Entry;

/** Finds out how a folder holds its pairs. */
public final class PairSources {
    /** {@code data/train-00000-of-00004.parquet}, {@code train/0000.parquet}, {@code train.parquet} */
    private static final Pattern TRAIN_SPLIT = Pattern.compile("(^|.*/)train[-_./].*");

    private PairSources() {}

    /**
     * Parquet files if there are any (of these the train split, if files are named so), else images with
     * {@code metadata.jsonl} or {@code metadata.csv}: the two layouts of Hugging Face's image-text data sets. Else tar
     * archives (WebDataset), else images with captions in files beside them.
     *
     * @param image name of the image column
     * @param caption name of the caption column
     * @throws SourceException if the folder holds neither, or lacks a column
     */
    public static PairSource open(FileTree tree, String image, String caption) throws IOException {
        List<Entry> parquet = named(tree, ".parquet");
        if (!parquet.isEmpty()) {
            List<Entry> train = parquet.stream()
                    .filter(f -> TRAIN_SPLIT.matcher(f.name()).matches())
                    .toList();
            return new ParquetPairs(tree, train.isEmpty() ? parquet : train, image, caption);
        }
        List<Entry> metadata = tree.files().stream()
                .filter(f -> f.name().matches("(.*/)?metadata\\.(jsonl|csv)"))
                .toList();
        if (!metadata.isEmpty()) {
            return new FolderPairs(tree, metadata, image, caption);
        }
        List<Entry> tars = named(tree, ".tar");
        if (!tars.isEmpty()) {
            return new TarPairs(tree, tars, caption);
        }
        PairSource beside = CaptionFilePairs.find(tree);
        if (beside != null) {
            return beside;
        }
        throw new SourceException(
                "dataset.source",
                tree.uri()
                        + " has no *.parquet files, no metadata.jsonl or metadata.csv, no *.tar files and no images with"
                        + " .txt or .caption files beside them; "
                        + (tree.files().isEmpty() ? "it is empty" : "it holds " + sample(tree.files())));
    }

    private static List<Entry> named(FileTree tree, String suffix) throws IOException {
        return tree.files().stream().filter(f -> f.name().endsWith(suffix)).toList();
    }

    private static String sample(List<Entry> files) {
        String some = String.join(", ", files.stream().limit(5).map(Entry::name).toList());
        return files.size() > 5 ? some + " and " + (files.size() - 5) + " more" : some;
    }
}
