package dev.distillery.artifacts;

/** What is in the store is not what its manifest says. */
public final class ArtifactCorruptException extends StoreException {
    private static final long serialVersionUID = 1L;

    public ArtifactCorruptException(String message) {
        super(message, null);
    }
}
