package dev.distillery.hub;

import java.io.IOException;
import java.net.http.HttpResponse;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.distillery.hub.HubClient.Settings;

/** What a Hub's "no" means, in words that go on after the repository's name. */
record Refusal(Settings settings, Call call, HttpResponse<?> response, byte[] body) {
    /** Of an answer that is looked at for a message. */
    static final int MOST_BYTES = 4096;

    private static final int LONGEST_MESSAGE = 300;

    HubException exception() {
        return new HubException(response.statusCode(), reason());
    }

    /** The Hub says more in a header than by the status: it hides that a private repository is there. */
    private String reason() {
        int status = response.statusCode();
        String code = header("X-Error-Code");
        String token = settings.token().isPresent() ? "the token in HF_TOKEN may not see it" : "HF_TOKEN is not set";
        if (!call.uri().getAuthority().equals(settings.endpoint().getAuthority())) {
            return "is kept at " + call.uri().getHost() + ", which answers HTTP " + status + said();
        }
        if (code.equals("GatedRepo")) {
            return "is gated: accept its terms on " + settings.endpoint()
                    + " and set HF_TOKEN to a token of that account";
        }
        if (code.equals("RevisionNotFound")) {
            return "has no such revision";
        }
        if (code.equals("EntryNotFound")) {
            return "has no such file: " + call.uri().getPath();
        }
        if (call.writes() && !code.equals("RepoNotFound") && status != 404) {
            return written(status);
        }
        if (code.equals("RepoNotFound") || status == 401 || status == 403 || status == 404) {
            return "is not there, or is private and " + token;
        }
        return "answers HTTP " + status + " for " + call.uri().getPath();
    }

    private String written(int status) {
        return switch (status) {
            case 401 -> "cannot be written to: HF_TOKEN is not a token that " + settings.endpoint() + " knows" + said();
            case 403 ->
                "cannot be written to with the token in HF_TOKEN: it needs the role 'write', and an account that may write there"
                        + said();
            case 409 -> "is being changed by somebody else; nothing was changed by this, so try again" + said();
            case 413 -> "takes no file or request of this size" + said();
            default -> "answers HTTP " + status + " for " + call.uri().getPath() + said();
        };
    }

    /** In the Hub's own words, if it has any. */
    private String said() {
        String message = header("X-Error-Message");
        if (message.isEmpty()) {
            try {
                message = new ObjectMapper().readTree(body).path("error").asText("");
            } catch (IOException e) {
                message = ""; // a page for browsers
            }
        }
        String line = message.replaceAll("\\s+", " ").strip();
        return line.isEmpty() ? "" : " (it says: " + line.substring(0, Math.min(line.length(), LONGEST_MESSAGE)) + ")";
    }

    private String header(String name) {
        return response.headers().firstValue(name).orElse("");
    }
}
