package dev.distillery.diffusion.safetensors;

/** A file is not valid safetensors, or lacks a tensor; the message names file, tensor and reason. */
public final class SafetensorsException extends RuntimeException {
    public SafetensorsException(String message) {
        super(message);
    }

    public SafetensorsException(String message, Throwable cause) {
        super(message, cause);
    }
}
