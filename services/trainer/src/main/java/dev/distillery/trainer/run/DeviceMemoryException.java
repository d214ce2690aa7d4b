package dev.distillery.trainer.run;

import dev.distillery.events.Violation;

/** The run would not fit into its device: said before anything is loaded, for PyTorch or the kernel would end the process. */
public final class DeviceMemoryException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private final String advice;

    DeviceMemoryException(Violation tooLarge) {
        super("memory: the run would need " + tooLarge.value());
        advice = "'" + tooLarge.path() + "' " + tooLarge.message();
    }

    /** What would fit. */
    public String advice() {
        return advice;
    }
}
