package dev.distillery.hub;

import java.io.IOException;
import java.util.Map;

import dev.distillery.hub.HubTarget.State;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class HubTargetTest {
    private final HubServer server = new HubServer();

    @AfterEach
    void stop() {
        server.close();
    }

    @Test
    void shouldMakeTheRepositoryOnce() throws IOException {
        // When
        State first = prepare("hf_good", "hf://owner/new", true);
        State second = prepare("hf_good", "hf://owner/new", true);

        // Then
        assertThat(first).isEqualTo(State.CREATED);
        assertThat(second).isEqualTo(State.THERE);
        assertThat(server.requests()).filteredOn(r -> r.contains("create")).hasSize(1);
        assertThat(server.client("hf_good")
                        .json(server.client("hf_good").uri("/api/models/owner/new"))
                        .json()
                        .path("private")
                        .asBoolean())
                .isTrue();
    }

    @Test
    void shouldMakeABranchThatIsNotThere() throws IOException {
        // Given
        server.add("models/owner/old", Map.of());

        // When
        State state = prepare("hf_write", "hf://owner/old@fp16", false);

        // Then
        assertThat(state).isEqualTo(State.THERE);
        assertThat(server.files("models/owner/old", "fp16")).isEmpty();
    }

    @Test
    void shouldFindItThereWhenSomebodyElseWasQuicker() throws IOException {
        // Given
        server.fail("repos/create", 409, null);

        // When, then
        assertThat(prepare("hf_good", "hf://owner/new", false)).isEqualTo(State.THERE);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            nullValues = "-",
            value = {
                "-|hf://owner/new|HF_TOKEN is not set; it must be a token with the role 'write'",
                "hf_bad|hf://owner/new|HF_TOKEN is not a token that",
                "hf_read|hf://owner/new|it needs the role 'write'",
                "hf_write|hf://owner/new|(it says: You don't have the rights to create",
                "hf_good|hf://owner/public|can be seen by everybody",
                "hf_good|hf://datasets/owner/data|must be a model's repository",
                "hf_good|hf://owner/public/unet|must be a model's repository",
                "hf_good|hf://owner/public@0123456789abcdef0123456789abcdef01234567|must name a branch"
            })
    void shouldSayWhyNothingCanBePutThere(String token, String uri, String expected) {
        // Given
        server.add("models/owner/public", Map.of());

        // When, then
        assertThatThrownBy(() -> prepare(token, uri, true)).hasMessageContaining(expected);
    }

    private State prepare(String token, String uri, boolean isPrivate) throws IOException {
        return new HubTarget(server.client(token), HubAddress.of(uri)).prepare(isPrivate);
    }
}
