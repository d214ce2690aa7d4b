package dev.distillery.benchmarks;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.distillery.dataingest.shard.ShardTar;
import dev.distillery.dataingest.shard.UsablePairs;
import dev.distillery.dataingest.source.Captions;
import dev.distillery.dataingest.source.LocalTree;
import dev.distillery.dataingest.source.PairSource;
import dev.distillery.dataingest.source.PairSources;
import dev.distillery.events.TrainRequest;
import dev.distillery.latentencoding.EncodeSettings;
import dev.distillery.latentencoding.Encoders;
import dev.distillery.latentencoding.ShardEncoder;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Reads or encodes a data set in this process and prints a line of JSON; takes the arguments that {@code peer_data.py} takes. */
@Command(name = "data-process", hidden = true)
final class DataProcess implements Callable<Integer> {
    @Parameters(index = "0")
    private String stage;

    @Parameters(index = "1")
    private Path data;

    @Parameters(index = "2", arity = "0..1")
    private Path teacher;

    @Option(names = "--resolution")
    private int resolution;

    @Option(names = "--repeat", defaultValue = "1")
    private int repeat;

    @Option(names = "--limit", defaultValue = "512")
    private int limit;

    @Override
    public Integer call() throws IOException {
        Path folder = Files.createTempDirectory("distillery-benchmark");
        try {
            PairSource source = PairSources.open(new LocalTree(data), "image", Captions.of("text"));
            long started = System.nanoTime();
            int images = 0;
            if (stage.equals("ingest")) {
                for (int round = 0; round < repeat; round++) {
                    images += ingest(source, folder);
                }
            } else {
                List<Path> shards = shards(source, folder, limit);
                try (Encoders encoders = new Encoders(teacher)) {
                    started = System.nanoTime();
                    images = encode(encoders, shards, folder);
                }
            }
            double seconds = (System.nanoTime() - started) / 1e9;
            System.out.println(new ObjectMapper()
                    .writeValueAsString(Map.of(
                            "images",
                            images,
                            "images_per_second",
                            images / seconds,
                            "peak_rss_mb",
                            Processes.peakBytes() >> 20)));
            return 0;
        } finally {
            Sides.delete(folder);
        }
    }

    /** All that happens to images before they are encoded: data-ingest's part, the shard on disk, latent-encoding's part. */
    private int ingest(PairSource source, Path folder) throws IOException {
        EncodeSettings settings = EncodeSettings.square(resolution, true, 0.5, 1);
        float[] pixels = new float[3 * resolution * resolution];
        int images = 0;
        Path shard = folder.resolve("shard.tar");
        try (UsablePairs pairs = UsablePairs.of(source, TrainRequest.Filter.NONE)) {
            for (int count = write(pairs, shard, Integer.MAX_VALUE);
                    count > 0;
                    count = write(pairs, shard, Integer.MAX_VALUE)) {
                try (var prepared = ShardEncoder.images(Files.newInputStream(shard), settings)) {
                    while (prepared.item() != null) {
                        prepared.result().views().get(0).toChw(pixels, 0);
                        prepared.pass();
                        images++;
                    }
                }
            }
        }
        return images;
    }

    private static List<Path> shards(PairSource source, Path folder, int most) throws IOException {
        List<Path> shards = new ArrayList<>();
        try (UsablePairs pairs = UsablePairs.of(source, TrainRequest.Filter.NONE)) {
            for (int left = most; left > 0; ) {
                Path shard = folder.resolve(shards.size() + ".tar");
                int count = write(pairs, shard, left);
                if (count == 0) {
                    break;
                }
                left -= count;
                shards.add(shard);
            }
        }
        return shards;
    }

    private static int write(UsablePairs pairs, Path shard, int most) throws IOException {
        try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(shard))) {
            return ShardTar.write(pairs, 0, most, out);
        }
    }

    private int encode(Encoders encoders, List<Path> shards, Path folder) throws IOException {
        var encoder = new ShardEncoder(encoders, EncodeSettings.square(resolution, true, 0.5, 1));
        int images = 0;
        for (Path shard : shards) {
            images += encoder.encode(Files.newInputStream(shard), folder, done -> {})
                    .pairs();
        }
        return images;
    }
}
