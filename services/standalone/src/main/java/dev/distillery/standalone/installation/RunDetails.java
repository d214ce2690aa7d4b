package dev.distillery.standalone.installation;

import java.util.List;
import java.util.Map;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonUnwrapped;
import com.fasterxml.jackson.databind.JsonNode;
import dev.distillery.events.Violation;

/**
 * Everything about a run.
 *
 * @param metrics the last step's, as {@code metrics.jsonl} has them; null: no step was done
 * @param places what there is, by what it is: addresses in the store
 * @param failure null unless it failed
 * @param violations of a request that was rejected; null unless it was
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
record RunDetails(
        @JsonUnwrapped RunStatus status,
        JsonNode metrics,
        List<Stage> stages,
        Map<String, String> places,
        Failure failure,
        List<Violation> violations) {

    /** A stage that is done, as it noted itself. */
    record Stage(String stage, String started, String ended, double seconds, JsonNode detail) {}

    record Failure(String stage, String reason, String advice) {}
}
