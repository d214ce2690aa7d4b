package dev.distillery.hub;

import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;

/** Commits and branches of a repository. */
final class ServedRepository {
    enum Access {
        PUBLIC,
        PRIVATE,
        GATED
    }

    private final Access access;
    private final Map<String, String> branches = new ConcurrentHashMap<>();
    private final Map<String, Map<String, byte[]>> commits = new ConcurrentHashMap<>();

    ServedRepository(Access access, Map<String, byte[]> files) {
        this.access = access;
        commits.put(HubServer.COMMIT, new TreeMap<>(files));
        branches.put("main", HubServer.COMMIT);
        branches.put("refs/pr/7", HubServer.COMMIT);
    }

    Access access() {
        return access;
    }

    Optional<String> commit(String revision) {
        return commits.containsKey(revision) ? Optional.of(revision) : Optional.ofNullable(branches.get(revision));
    }

    Optional<Map<String, byte[]>> files(String revision) {
        return commit(revision).map(commits::get);
    }

    void branch(String name) {
        branches.put(name, branches.get("main"));
    }

    /** Changes some files of a branch; returns the commit. */
    synchronized String change(String branch, Map<String, byte[]> changed) {
        Map<String, byte[]> files = new TreeMap<>(files(branch).orElseThrow());
        files.putAll(changed);
        String commit = String.format("%040x", commits.size());
        commits.put(commit, files);
        branches.put(branch, commit);
        return commit;
    }

    /** Whether the Hub keeps such a file in its storage: by its name, or since it is no text. */
    static boolean large(String name, byte[] sample) {
        if (name.matches(".*\\.(safetensors|parquet|bin)")) {
            return true;
        }
        for (byte one : sample) {
            if (one == 0) {
                return true;
            }
        }
        return false;
    }

    static boolean large(Map.Entry<String, byte[]> file) {
        return file.getValue().length > 0
                && large(file.getKey(), Arrays.copyOf(file.getValue(), Math.min(512, file.getValue().length)));
    }
}
