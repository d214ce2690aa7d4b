package dev.distillery.dataingest.source.web;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.time.Duration;

import javax.net.ssl.SSLException;

import dev.distillery.dataingest.source.web.GuardedSockets.NotAllowedException;

/** An address that gave nothing, and why. */
final class WebException extends IOException {
    private static final long serialVersionUID = 1L;

    private final WebProblem problem;
    private final Duration retryAfter;

    WebException(WebProblem problem, String detail) {
        this(problem, detail, Duration.ZERO, null);
    }

    /** @param retryAfter how long the host wants to be left alone */
    WebException(WebProblem problem, String detail, Duration retryAfter, Throwable cause) {
        super(detail, cause);
        this.problem = problem;
        this.retryAfter = retryAfter;
    }

    /** What a failure of the connection means. */
    static WebException of(IOException e) {
        if (e instanceof WebException known) {
            return known;
        }
        WebProblem problem = WebProblem.BROKE_OFF;
        if (e instanceof NotAllowedException) {
            problem = WebProblem.NOT_ALLOWED;
        } else if (e instanceof UnknownHostException) {
            problem = WebProblem.HOST_NOT_FOUND;
        } else if (e instanceof SocketTimeoutException || e instanceof InterruptedIOException) {
            problem = WebProblem.TIMED_OUT;
        } else if (e instanceof ConnectException || e instanceof NoRouteToHostException || e instanceof SSLException) {
            problem = WebProblem.UNREACHABLE;
        }
        return new WebException(problem, e.getMessage() == null ? e.toString() : e.getMessage(), Duration.ZERO, e);
    }

    WebProblem problem() {
        return problem;
    }

    Duration retryAfter() {
        return retryAfter;
    }
}
