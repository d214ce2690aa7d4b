package dev.distillery.dataingest.source.web;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

import dev.distillery.dataingest.source.web.ReadAhead.NoRoomException;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class ReadAheadTest {
    private final ReadAhead memory = new ReadAhead(1000);

    @Test
    void shouldGiveMoreThanThereIsToTheFirstOnly() throws IOException {
        // Given
        ReadAhead.Share first = memory.new Share();
        ReadAhead.Share second = memory.new Share();
        first.take(600);
        second.take(400);

        // When
        first.isFirst();

        // Then
        first.take(5000);
        assertThatThrownBy(() -> second.take(1)).isInstanceOf(NoRoomException.class);
        first.release();
        second.take(600);
        assertThatThrownBy(() -> second.take(1)).isInstanceOf(NoRoomException.class);
    }

    @Test
    void shouldLetOthersBeginAgainWhenHalfIsFree() throws Exception {
        // Given
        ReadAhead.Share first = memory.new Share();
        ReadAhead.Share second = memory.new Share();
        first.take(501);

        // When
        var begun = CompletableFuture.runAsync(() -> {
            try {
                second.awaitRoom();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });

        // Then
        assertThat(begun).isNotDone();
        first.release();
        begun.get(10, TimeUnit.SECONDS);
    }

    @Test
    void shouldNotLetTheFirstWait() throws IOException {
        // Given
        ReadAhead.Share first = memory.new Share();
        memory.new Share().take(1000);

        // When
        first.isFirst();

        // Then
        first.awaitRoom();
        first.take(1);
    }
}
