package dev.distillery.standalone;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;

/** The bill of materials of what was packaged is whole: it names every jar, with the digest that the jar has. */
class SbomIT {

    @ParameterizedTest
    @ValueSource(strings = {"data-ingest", "latent-encoding", "trainer", "converter", "evaluator", "standalone"})
    void shouldNameEveryJar(String service) throws Exception {
        // Given
        Path target = Path.of("..", service, "target");
        Map<String, String> jars = new TreeMap<>();
        for (Path jar : jars(target.resolve("quarkus-app"))) {
            jars.put(target.resolve("quarkus-app").relativize(jar).toString(), sha256(jar));
        }

        // When
        JsonNode sbom = new ObjectMapper().readTree(Files.readAllBytes(target.resolve("quarkus-run-cyclonedx.json")));

        // Then
        assertThat(sbom.path("bomFormat").asText()).isEqualTo("CycloneDX");
        assertThat(components(sbom)).containsAllEntriesOf(jars);
    }

    /** Digests by place. */
    private static Map<String, String> components(JsonNode sbom) {
        Map<String, String> digests = new TreeMap<>();
        for (JsonNode component : sbom.path("components")) {
            for (JsonNode hash : component.path("hashes")) {
                if (hash.path("alg").asText().equals("SHA-256")) {
                    component
                            .at("/evidence/occurrences")
                            .forEach(place -> digests.put(
                                    place.path("location").asText(),
                                    hash.path("content").asText()));
                }
            }
        }
        return digests;
    }

    private static List<Path> jars(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder.resolve("lib"))) {
            return files.filter(file -> file.toString().endsWith(".jar")).toList();
        }
    }

    private static String sha256(Path file) throws Exception {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file)));
    }
}
