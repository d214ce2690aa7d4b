package dev.distillery.converter.card;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLGenerator;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;

/**
 * The YAML that the Hub reads of a card.
 *
 * @see <a href="https://huggingface.co/docs/hub/model-cards#model-card-metadata">its fields</a>
 */
final class Header {
    private static final YAMLMapper YAML = new YAMLMapper(new YAMLFactory()
            .disable(YAMLGenerator.Feature.WRITE_DOC_START_MARKER)
            .disable(YAMLGenerator.Feature.SPLIT_LINES)
            .enable(YAMLGenerator.Feature.MINIMIZE_QUOTES)
            .enable(YAMLGenerator.Feature.ALWAYS_QUOTE_NUMBERS_AS_STRINGS));

    private Header() {}

    /**
     * @param family of the teacher's U-Net
     * @param prompt what a subject was learnt by
     * @param distilled whether it was taught by the teacher
     * @param pipeline whether the folder is a whole one, which a machine of the Hub could run
     */
    static String of(
            Terms terms,
            Origin teacher,
            List<Origin> datasets,
            String family,
            Optional<String> prompt,
            boolean distilled,
            boolean pipeline) {
        Map<String, Object> fields = new LinkedHashMap<>(terms.fields());
        teacher.hubId().ifPresent(id -> {
            fields.put("base_model", id);
            fields.put("base_model_relation", "finetune"); // of the Hub's four words the nearest
        });
        List<String> ids = datasets.stream()
                .flatMap(set -> set.hubId().stream())
                .distinct()
                .toList();
        if (!ids.isEmpty()) {
            fields.put("datasets", ids);
        }
        fields.put("library_name", "diffusers");
        fields.put("pipeline_tag", "text-to-image");
        prompt.ifPresent(words -> fields.put("instance_prompt", words));
        fields.put("tags", tags(family, prompt.isPresent(), distilled));
        if (!pipeline) {
            fields.put("inference", false);
        }
        try {
            return "---\n" + YAML.writeValueAsString(fields).strip() + "\n---\n";
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    private static List<String> tags(String family, boolean subject, boolean distilled) {
        List<String> tags = new ArrayList<>(List.of("text-to-image", "stable-diffusion"));
        if (distilled) {
            tags.addAll(List.of("knowledge-distillation", "distilled"));
        }
        if (subject) {
            tags.add("dreambooth");
        }
        if (family.equals("sdxl")) {
            tags.add(2, "stable-diffusion-xl");
        }
        return tags;
    }
}
