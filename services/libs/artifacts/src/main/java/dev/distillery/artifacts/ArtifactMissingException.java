package dev.distillery.artifacts;

/** An object, or a prefix's manifest, is not there. */
public final class ArtifactMissingException extends StoreException {
    private static final long serialVersionUID = 1L;

    public ArtifactMissingException(String message) {
        super(message, null);
    }
}
