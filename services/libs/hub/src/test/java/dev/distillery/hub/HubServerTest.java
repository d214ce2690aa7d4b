package dev.distillery.hub;

import java.io.IOException;
import java.util.Optional;

import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;

/** The server of the tests speaks as the real one does: the Hub's own client understands it. */
class HubServerTest {
    private static final String PYTHON =
            Optional.ofNullable(System.getenv("DISTILLERY_PYTHON")).orElse("python3");

    @ParameterizedTest
    @ValueSource(ints = {1000, 5 << 20})
    void shouldBeUnderstoodByTheHubsOwnClient(int partBytes) throws Exception {
        Assumptions.assumeTrue(
                run("-c", "import huggingface_hub").equals(""),
                "skipped: needs a Python with huggingface_hub, as python3 or in DISTILLERY_PYTHON");
        try (HubServer server = new HubServer()) {
            // Given
            server.partBytes(partBytes);

            // When
            String said = run("src/test/python/hub_server_check.py", server.endpoint());

            // Then
            assertThat(said).endsWith("as expected\n");
        }
    }

    /** What it says; something in any case if it fails. */
    private static String run(String... arguments) throws InterruptedException {
        var builder = new ProcessBuilder(PYTHON);
        builder.command().addAll(java.util.List.of(arguments));
        try {
            Process process = builder.redirectErrorStream(true).start();
            String said = new String(process.getInputStream().readAllBytes());
            return said + (process.waitFor() == 0 ? "" : "\nexit code " + process.exitValue());
        } catch (IOException e) {
            return "there is no " + PYTHON;
        }
    }
}
