package dev.distillery.dataingest.source;

import java.io.IOException;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

import dev.distillery.dataingest.source.FileTree.Entry;

/** Finds out how a folder holds its pairs. */
public final class PairSources {
    /** {@code data/train-00000-of-00004.parquet}, {@code train/0000.parquet}, {@code train.parquet} */
    private static final Pattern TRAIN_SPLIT = Pattern.compile("(^|.*/)train[-_./].*");

    private static final int FEWEST_OF_A_SUBJECT = 3;
    private static final int MOST_OF_A_SUBJECT = 30;

    private PairSources() {}

    /**
     * All images of a folder with one caption.
     *
     * @throws SourceException if they are not 3 to 30
     */
    public static PairSource subject(FileTree tree, String prompt) throws IOException {
        PairSource pairs = CaptionFilePairs.all(tree, prompt);
        if (pairs.size() < FEWEST_OF_A_SUBJECT || pairs.size() > MOST_OF_A_SUBJECT) {
            throw new SourceException(
                    "subject.images",
                    "a subject is shown by " + FEWEST_OF_A_SUBJECT + " to " + MOST_OF_A_SUBJECT + " pictures, but "
                            + tree.uri() + " has " + pairs.size() + "; of more, objective finetune learns");
        }
        return pairs;
    }

    /**
     * Parquet files if there are any (of these the train split, if files are named so), else images with
     * {@code metadata.jsonl} or {@code metadata.csv}: the two layouts of Hugging Face's image-text data sets. Else tar
     * archives (WebDataset), else images with captions in files beside them, else lists of images on the web.
     *
     * @param image name of the column with images, or with their web addresses
     * @param captions where captions stand
     * @throws SourceException if the folder holds neither, or lacks a column
     */
    public static PairSource open(FileTree tree, String image, Captions captions) throws IOException {
        List<Entry> tars = named(tree, ".tar");
        Set<String> archives =
                tars.stream().map(tar -> ImageFiles.stem(tar.name())).collect(Collectors.toSet());
        List<Entry> parquet = named(tree, ".parquet").stream()
                .filter(file ->
                        !archives.contains(ImageFiles.stem(file.name()))) // what img2dataset tells of an archive
                .toList();
        if (!parquet.isEmpty()) {
            return new ParquetPairs(tree, train(parquet), image, captions);
        }
        List<Entry> metadata = tree.files().stream()
                .filter(f -> f.name().matches("(.*/)?metadata\\.(jsonl|csv)"))
                .toList();
        if (!metadata.isEmpty()) {
            return new FolderPairs(tree, metadata, image, captions);
        }
        if (!tars.isEmpty()) {
            return new TarPairs(tree, tars, captions);
        }
        PairSource beside = CaptionFilePairs.find(tree);
        if (beside != null) {
            return beside;
        }
        List<Entry> lists = tree.files().stream()
                .filter(f -> f.name().matches(".*\\.(csv|tsv|jsonl)"))
                .toList();
        if (!lists.isEmpty()) {
            return new ListPairs(tree, train(lists), image, captions);
        }
        throw new SourceException(
                "dataset.source",
                tree.uri()
                        + " has no *.parquet files, no metadata.jsonl or metadata.csv, no *.tar files, no images with"
                        + " .txt or .caption files beside them and no *.csv, *.tsv or *.jsonl; "
                        + (tree.files().isEmpty() ? "it is empty" : "it holds " + sample(tree.files())));
    }

    private static List<Entry> train(List<Entry> files) {
        List<Entry> train = files.stream()
                .filter(f -> TRAIN_SPLIT.matcher(f.name()).matches())
                .toList();
        return train.isEmpty() ? files : train;
    }

    private static List<Entry> named(FileTree tree, String suffix) throws IOException {
        return tree.files().stream().filter(f -> f.name().endsWith(suffix)).toList();
    }

    private static String sample(List<Entry> files) {
        String some = String.join(", ", files.stream().limit(5).map(Entry::name).toList());
        return files.size() > 5 ? some + " and " + (files.size() - 5) + " more" : some;
    }
}
