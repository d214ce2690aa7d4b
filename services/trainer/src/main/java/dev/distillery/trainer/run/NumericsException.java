package dev.distillery.trainer.run;

/** The student's numbers are no longer finite, and no later step will mend that; the last good checkpoint stays. */
public final class NumericsException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private NumericsException(String message) {
        super("numerics: " + message);
    }

    static NumericsException inARow(int steps, long last, String where) {
        return new NumericsException("losses or gradients were not finite in " + steps + " steps in a row, up to step "
                + last + "; it began in " + where);
    }

    static NumericsException atTheEnd(long step) {
        return new NumericsException("the held-out losses are not finite after the last step, " + step);
    }
}
