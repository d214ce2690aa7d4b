package dev.distillery.hub;

import java.io.IOException;
import java.net.URI;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;

/** Sees to it that the repository and the branch that files go to are there. */
public record HubTarget(HubClient client, HubAddress address) {
    /** What was found. */
    public enum State {
        CREATED,
        THERE
    }

    /** @throws IllegalArgumentException saying what is right, if nothing can be put there */
    public HubTarget {
        if (address.dataset() || !address.folder().isEmpty()) {
            throw new IllegalArgumentException(address + " must be a model's repository: hf://owner/name[@branch]");
        }
        if (address.revision().matches("[0-9a-f]{40}")) {
            throw new IllegalArgumentException(address + " must name a branch, since a commit cannot be changed");
        }
    }

    /**
     * Makes what is not there.
     *
     * @param isPrivate whether only its owner may see it
     * @throws HubException if the account may not, or if others may see what is there
     */
    public State prepare(boolean isPrivate) throws IOException {
        if (client.settings().token().isEmpty()) {
            throw new HubException(
                    401, "cannot be written to: HF_TOKEN is not set; it must be a token with the role 'write'");
        }
        State state = repository(isPrivate);
        if (!address.revision().equals("main") && !address.revision().startsWith("refs/")) {
            branch();
        }
        return state;
    }

    private State repository(boolean isPrivate) throws IOException {
        try {
            JsonNode found = client.json(client.uri(address.api())).json();
            if (isPrivate && !found.path("private").asBoolean()) {
                throw new HubException(
                        0,
                        "is there and can be seen by everybody: make it private on its page first, or leave --private out");
            }
            return State.THERE;
        } catch (HubException e) {
            if (e.status() != 401 && e.status() != 404) {
                throw e;
            }
        }
        String[] name = address.repository().split("/");
        ObjectNode wanted = JsonNodeFactory.instance
                .objectNode()
                .put("organization", name[0])
                .put("name", name[1])
                .put("private", isPrivate)
                .put("type", "model");
        return made(client.uri("/api/repos/create"), wanted);
    }

    private void branch() throws IOException {
        try {
            client.json(client.uri(address.api() + "/revision/" + address.encodedRevision()));
        } catch (HubException e) {
            if (e.status() != 404) {
                throw e;
            }
            made(
                    client.uri(address.api() + "/branch/" + address.encodedRevision()),
                    JsonNodeFactory.instance.objectNode());
        }
    }

    /** Somebody else, or a request whose answer was lost, may have been quicker. */
    private State made(URI uri, ObjectNode wanted) throws IOException {
        try {
            client.post(uri, wanted);
            return State.CREATED;
        } catch (HubException e) {
            if (e.status() == 409) {
                return State.THERE;
            }
            throw e;
        }
    }
}
