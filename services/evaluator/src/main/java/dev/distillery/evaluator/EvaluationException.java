package dev.distillery.evaluator;

/** Says of a record among the dead letters why it is there. */
final class EvaluationException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    EvaluationException(Exception cause) {
        super(cause.getMessage() == null ? cause.toString() : cause.getMessage(), cause);
    }
}
