package dev.distillery.trainer.data;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

import dev.distillery.diffusion.safetensors.SafetensorsFile;
import dev.distillery.trainer.data.LatentsShard.Dimensions;

/** All encoded pairs of a data set, mapped into memory rather than read; pairs are numbered through its shards. */
public final class LatentsDataset implements AutoCloseable {

    private final List<SafetensorsFile> files = new ArrayList<>();
    private final List<LatentsShard> shards = new ArrayList<>();
    private final List<Place> places = new ArrayList<>();

    /** Where a pair is. */
    private record Place(LatentsShard shard, int row) {}

    private LatentsDataset() {}

    /**
     * Opens {@code folder/shards/*.safetensors}, in the order of their names.
     *
     * @throws IllegalArgumentException when there is no pair or the shards do not fit each other
     */
    public static LatentsDataset open(Path folder) {
        LatentsDataset data = new LatentsDataset();
        try (Stream<Path> paths = Files.list(folder.resolve("shards"))) {
            paths.filter(path -> path.toString().endsWith(".safetensors"))
                    .sorted()
                    .forEach(data::add);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        if (data.places.isEmpty()) {
            throw new IllegalArgumentException(folder + " holds no encoded pair");
        }
        return data;
    }

    private void add(Path path) {
        SafetensorsFile file = SafetensorsFile.open(path);
        files.add(file);
        LatentsShard shard = LatentsShard.of(path, file);
        if (!shards.isEmpty() && !shard.dimensions().equals(dimensions())) {
            throw new IllegalArgumentException(
                    path + " holds " + shard.dimensions() + " but the shards before it " + dimensions());
        }
        shards.add(shard);
        for (int row = 0; row < shard.pairs(); row++) {
            places.add(new Place(shard, row));
        }
    }

    public int pairs() {
        return places.size();
    }

    /** Of the latents. */
    public int side() {
        return dimensions().height();
    }

    Dimensions dimensions() {
        return shards.get(0).dimensions();
    }

    /** Writes {@code (mean + std * eps) * scale} of a pair to {@code latent[at, ...)}, where {@code eps} is on entry. */
    void sampleLatent(int pair, int view, float scale, float[] latent, int at) {
        Place place = places.get(pair);
        int width = dimensions().latent();
        int from = (place.row * dimensions().views() + view) * width;
        for (int i = 0; i < width; i++) {
            float mean = place.shard.mean().get(from + i);
            float std = place.shard.std().get(from + i);
            latent[at + i] = (mean + std * latent[at + i]) * scale;
        }
    }

    /** @param captioned or with the empty caption */
    void copyPromptEmbeds(int pair, boolean captioned, float[] target, int at) {
        Place place = places.get(pair);
        LatentsShard.copyRow(
                place.shard.promptEmbeds(),
                captioned ? caption(place) : LatentsShard.EMPTY_CAPTION,
                dimensions().prompt(),
                target,
                at);
    }

    void copyPooled(int pair, boolean captioned, float[] target, int at) {
        Place place = places.get(pair);
        LatentsShard.copyRow(
                place.shard.pooled(),
                captioned ? caption(place) : LatentsShard.EMPTY_CAPTION,
                dimensions().pooled(),
                target,
                at);
    }

    /** Original size, crop offset and target size, each height before width. */
    void copyTimeIds(int pair, int view, float[] target, int at) {
        Place place = places.get(pair);
        LatentsShard.copyRow(
                place.shard.timeIds(), (long) place.row * dimensions().views() + view, Batches.TIME_IDS, target, at);
    }

    private static long caption(Place place) {
        return place.shard.captionIndex().get(place.row);
    }

    @Override
    public void close() {
        files.forEach(SafetensorsFile::close);
    }
}
