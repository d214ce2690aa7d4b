package dev.distillery.hub;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A repository, or a folder of it, at a revision: {@code hf://owner/name[@revision][/folder]} for models,
 * {@code hf://datasets/owner/name[@revision][/folder]} for data sets.
 *
 * @param dataset whether it is a data set's
 * @param repository {@code owner/name}
 * @param revision branch, tag or commit
 * @param folder empty, or ending with a slash
 */
public record HubAddress(boolean dataset, String repository, String revision, String folder) {
    private static final String NAME = "[A-Za-z0-9](?:[A-Za-z0-9._-]{0,95})";
    /** A revision has no slash, but for the Hub's own two kinds of references. */
    private static final Pattern ADDRESS = Pattern.compile(
            "hf://(?<dataset>datasets/)?(?<repository>" + NAME + "/" + NAME
                    + ")(?:@(?<revision>refs/convert/\\w+|refs/pr/\\d+|[A-Za-z0-9][A-Za-z0-9._-]*))?(?:/(?<folder>.*))?");

    private static final String KNOWN = "hf://owner/name[@revision] or hf://datasets/owner/name[@revision][/folder]";

    /** @throws IllegalArgumentException saying what is right */
    public static HubAddress of(String uri) {
        Matcher m = ADDRESS.matcher(uri);
        if (!m.matches()) {
            throw new IllegalArgumentException(uri + " must be " + KNOWN);
        }
        String folder = m.group("folder") == null ? "" : m.group("folder").replaceFirst("/*$", "");
        if (("/" + folder + "/").contains("/../")) {
            throw new IllegalArgumentException(uri + " must name a folder without '..'");
        }
        return new HubAddress(
                m.group("dataset") != null,
                m.group("repository"),
                m.group("revision") == null ? "main" : m.group("revision"),
                folder.isEmpty() ? "" : folder + "/");
    }

    /** The same at a commit. */
    HubAddress at(String commit) {
        return new HubAddress(dataset, repository, commit, folder);
    }

    /** Path of the API of this repository. */
    String api() {
        return "/api/" + (dataset ? "datasets/" : "models/") + repository;
    }

    /** Path of a file's content. */
    String resolve(String name) {
        return (dataset ? "/datasets/" : "/") + repository + "/resolve/" + encoded(revision) + "/"
                + path(folder + name);
    }

    String encodedRevision() {
        return encoded(revision);
    }

    private static String path(String name) {
        return encoded(name).replace("%2F", "/");
    }

    private static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
    }

    /** As it is written in a request. */
    @Override
    public String toString() {
        String where = folder.isEmpty() ? "" : "/" + folder.substring(0, folder.length() - 1);
        return "hf://" + (dataset ? "datasets/" : "") + repository + "@" + revision + where;
    }
}
