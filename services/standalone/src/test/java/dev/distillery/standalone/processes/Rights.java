package dev.distillery.standalone.processes;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;

/**
 * What each part may do, as the Helm chart renders it.
 *
 * @param policies of the store, JSON by part
 * @param acls of Kafka
 */
record Rights(Map<String, String> policies, List<AclBinding> acls) {
    private static final String CHART = "../../deploy/helm/distillery";
    private static final Pattern LINE = Pattern.compile(
            "kafka-acls\\.sh \"\\$@\" --add --allow-principal '([^']+)' --(topic|group) '([^']+)'((?: --operation \\w+)+)");

    /** @param byCertificate the part whose principal is the name in its certificate */
    static Rights rendered(String byCertificate) throws IOException, InterruptedException {
        Process helm = new ProcessBuilder(
                        "helm",
                        "template",
                        "distillery",
                        CHART,
                        "--kube-version",
                        "1.30.0",
                        "-f",
                        CHART + "/ci/default-values.yaml",
                        "--set",
                        "access.publish=true",
                        "--set",
                        "access.principals." + byCertificate + "=CN=" + byCertificate,
                        "--show-only",
                        "templates/access.yaml")
                .redirectError(Path.of("/dev/null").toFile())
                .start();
        String rendered = new String(helm.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (helm.waitFor() != 0) {
            throw new AssertionError("helm template ended with " + helm.exitValue());
        }
        JsonNode data = new YAMLMapper().readTree(rendered).path("data");
        Map<String, String> policies = new LinkedHashMap<>();
        data.fields().forEachRemaining(entry -> {
            if (entry.getKey().startsWith("s3-")) {
                policies.put(
                        entry.getKey().replaceAll("^s3-|\\.json$", ""),
                        entry.getValue().asText());
            }
        });
        return new Rights(policies, acls(data.path("kafka-acls.sh").asText()));
    }

    private static List<AclBinding> acls(String script) {
        List<AclBinding> acls = new ArrayList<>();
        for (String text : script.lines().map(String::strip).toList()) {
            if (!text.startsWith("kafka-acls.sh")) {
                continue;
            }
            Matcher line = LINE.matcher(text);
            if (!line.matches()) {
                throw new AssertionError("not understood: " + text);
            }
            var resource =
                    new ResourcePattern(ResourceType.fromString(line.group(2)), line.group(3), PatternType.LITERAL);
            for (String operation : line.group(4).strip().split("\\s*--operation ")) {
                if (!operation.isBlank()) {
                    acls.add(new AclBinding(
                            resource,
                            new AccessControlEntry(
                                    line.group(1),
                                    "*",
                                    AclOperation.fromString(operation.strip().toUpperCase(Locale.ROOT)),
                                    AclPermissionType.ALLOW)));
                }
            }
        }
        return acls;
    }
}
