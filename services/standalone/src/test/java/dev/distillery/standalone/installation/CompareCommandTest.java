package dev.distillery.standalone.installation;

import java.nio.file.Path;

import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.Keys;
import dev.distillery.artifacts.StoreConfig;
import dev.distillery.embedded.EmbeddedS3;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.assertj.core.api.Assertions.assertThat;

@Timeout(60)
class CompareCommandTest {
    @TempDir
    Path dir;

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "none training|There is no run 'none'",
                "training training|The run 'training' has no converted weights yet",
                "training No!|NAME must be a run's name",
                "training|NAME"
            })
    void shouldSayWhichRunCannotBeComparedAndWriteNothing(String names, String said) {
        try (EmbeddedS3 s3 = EmbeddedS3.start(dir.resolve("s3"), 0)) {
            // Given
            var store = new ArtifactStore(new StoreConfig(
                    s3.endpoint(), "us-east-1", "distillery", EmbeddedS3.ACCESS_KEY, EmbeddedS3.SECRET_KEY));
            store.ensureBucket();
            store.put(Keys.request("training"), new byte[] {'{', '}'});
            Cli cli = Cli.without(dir)
                    .env("DISTILLERY_STORE_ENDPOINT", s3.endpoint())
                    .env("DISTILLERY_STORE_ACCESS_KEY", EmbeddedS3.ACCESS_KEY)
                    .env("DISTILLERY_STORE_SECRET_KEY", EmbeddedS3.SECRET_KEY);
            Path page = dir.resolve("page.html");

            // When
            int code = cli.run(("compare " + names + " --out " + page).split(" "));

            // Then
            assertThat(code).isEqualTo(2);
            assertThat(cli.err()).contains(said);
            assertThat(page).doesNotExist();
        }
    }
}
