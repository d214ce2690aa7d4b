package dev.distillery.diffusion.tensor;

/** A checkpoint does not fit its model; the message names the keys. */
public final class WeightsException extends RuntimeException {
    public WeightsException(String message) {
        super(message);
    }
}
