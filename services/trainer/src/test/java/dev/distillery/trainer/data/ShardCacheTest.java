package dev.distillery.trainer.data;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;

import dev.distillery.artifacts.Folders;
import dev.distillery.trainer.MadeLatents;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class ShardCacheTest {
    private static final int SHARDS = 40;
    private static final int PAIRS = 4;

    @TempDir
    Path dir;

    private final List<String> fetched = Collections.synchronizedList(new ArrayList<>());
    private LatentsIndex index;
    private long bytes; // of a shard

    @BeforeEach
    void make() {
        MadeLatents.write(dir.resolve("store"), SHARDS, PAIRS);
        List<LatentsIndex.Shard> shards = new ArrayList<>();
        for (Path file : Folders.files(dir.resolve("store"))) {
            bytes = file.toFile().length();
            shards.add(new LatentsIndex.Shard(
                    "shards/" + file.getFileName(), bytes, "", Map.of(new LatentSize(16, 16), PAIRS)));
        }
        index = new LatentsIndex(shards, 0);
    }

    @Test
    void shouldHoldNoMoreThanItMayAndDropWhatIsNotExpected() {
        try (ShardCache cache = cache(3 * bytes)) {
            // When
            for (int shard : List.of(0, 1, 2)) {
                cache.use(shard).close();
            }
            cache.expect(IntStream.of(0, 0, 0));
            cache.use(3).close();
            cache.use(0).close();
            // Then shard 1 went, which was not used for longest
            assertThat(fetched).containsExactly("00000", "00001", "00002", "00003");
            assertThat(files()).hasSize(3).noneMatch(file -> file.contains("00001"));
        }
    }

    @Test
    void shouldKeepAShardThatIsReadWhateverElseIsNeeded() {
        try (ShardCache cache = cache(bytes)) {
            // Given
            float[] before = new float[64];
            try (ShardCache.Use use = cache.use(4)) {
                use.shard().copyRow("pooled", 1, 64, before, 0);
                // When
                IntStream.of(5, 6, 7).forEach(shard -> cache.use(shard).close());
                // Then
                float[] after = new float[64];
                use.shard().copyRow("pooled", 1, 64, after, 0);
                assertThat(after).containsExactly(before);
            }
        }
    }

    @Test
    void shouldFetchWhatIsExpectedBeforeItIsAskedFor() throws Exception {
        // Given
        CountDownLatch there = new CountDownLatch(3);
        try (ShardCache cache = new ShardCache(index, dir.resolve("cache/fp"), 3 * bytes, (file, sha, to) -> {
            copy(file, to);
            there.countDown();
        })) {
            // When there is room for three
            cache.expect(IntStream.of(7, 7, 2, 9, 1, 0));
            // Then
            assertThat(there.await(20, TimeUnit.SECONDS)).isTrue();
            IntStream.of(7, 2, 9).forEach(shard -> cache.use(shard).close());
            assertThat(fetched).containsExactlyInAnyOrder("00007", "00002", "00009");
        }
    }

    @Test
    void shouldTakeWhatAnEarlierRunLeftAndMakeRoomFromOtherDataSets() throws IOException {
        // Given
        try (ShardCache cache = cache(45 * bytes)) {
            cache.use(1).close();
        }
        Files.createDirectories(dir.resolve("cache/other"));
        Files.write(dir.resolve("cache/other/x"), new byte[(int) (6 * bytes)]);
        // When
        try (ShardCache cache = cache(45 * bytes)) {
            cache.use(1).close();
        }
        // Then
        assertThat(fetched).containsExactly("00001");
        assertThat(dir.resolve("cache/other")).doesNotExist();
    }

    @Test
    void shouldFailWithTheReasonAndTryAgainWhenAskedAgain() {
        // Given
        List<String> failures = new ArrayList<>(List.of("the store is away"));
        try (ShardCache cache = new ShardCache(index, dir.resolve("cache/fp"), 3 * bytes, (file, sha, to) -> {
            if (!failures.isEmpty()) {
                throw new IOException(failures.remove(0));
            }
            copy(file, to);
        })) {
            // When, then
            assertThatThrownBy(() -> cache.use(0)).hasMessageContaining("the store is away");
            cache.use(0).close();
        }
    }

    @Test
    void shouldTrainOnADataSetThatIsLargerThanTheCacheWithoutFetchingAShardTwiceAnEpoch() {
        // Given room for half of the data: the shards of a window and some more
        Split split = Split.of(index, OptionalDouble.of(0.03));
        EpochOrder order = new EpochOrder(index, split.train(), 3, 2, 1);
        LatentsDataset data = new LatentsDataset(index, cache(20 * bytes));
        Sampling sampling = new Sampling(new Timesteps(1000, 0, 1, 1), Noise.WHITE, 0, 1);
        Batches batches = new Batches(data, 1, sampling);
        // When
        List<int[]> seen = new ArrayList<>();
        try (data;
                ReadAhead ahead = new ReadAhead(data, order, batches, 1, 3, 0, order.stepsPerEpoch())) {
            for (int step = 0; step < order.stepsPerEpoch(); step++) {
                for (ReadAhead.Part part : ahead.next()) {
                    seen.add(new int[part.take().timesteps().length]);
                }
            }
        }
        // Then
        assertThat(seen.stream().mapToInt(part -> part.length).sum()).isEqualTo(split.train().length);
        assertThat(files().size()).isLessThanOrEqualTo(20);
        assertThat(fetched).doesNotHaveDuplicates();
    }

    private ShardCache cache(long most) {
        return new ShardCache(index, dir.resolve("cache/fp"), most, (file, sha, to) -> copy(file, to));
    }

    private void copy(String file, Path to) throws IOException {
        fetched.add(file.replaceAll("\\D", ""));
        Files.copy(dir.resolve("store").resolve(file), to);
    }

    private List<String> files() {
        return Folders.files(dir.resolve("cache/fp")).stream()
                .map(file -> file.getFileName().toString())
                .toList();
    }
}
