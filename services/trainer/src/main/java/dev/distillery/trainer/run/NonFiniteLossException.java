package dev.distillery.trainer.run;

/** A step's loss, or the norm of its gradients, was infinite or not a number; the student is as it was before that step. */
public final class NonFiniteLossException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    NonFiniteLossException(long step, double loss, double gradNorm) {
        super("The loss of step " + step + " is " + loss + " and its gradients' norm " + gradNorm
                + ", so training stopped");
    }
}
