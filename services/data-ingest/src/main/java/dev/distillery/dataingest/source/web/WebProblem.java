package dev.distillery.dataingest.source.web;

/** Why an address gives nothing. Few and fixed, so that they can be counted over a data set. */
enum WebProblem {
    NO_ADDRESS("no web address", false),
    NOT_ALLOWED("address not allowed", false),
    HOST_NOT_FOUND("host not found", false),
    UNREACHABLE("host not reached", true),
    TIMED_OUT("timed out", true),
    BROKE_OFF("broke off", true),
    NOT_FOUND("not found", false),
    REFUSED("refused", false),
    BUSY("host is busy", true),
    SERVER_ERROR("server error", true),
    OPTED_OUT("opted out of training", false),
    TOO_LARGE("file too large", false);

    private final String words;
    private final boolean passes;

    WebProblem(String words, boolean passes) {
        this.words = words;
        this.passes = passes;
    }

    String words() {
        return words;
    }

    /** Whether asking again may help. */
    boolean passes() {
        return passes;
    }

    /** Whether nobody answered. */
    boolean isSilence() {
        return this == HOST_NOT_FOUND || this == UNREACHABLE || this == TIMED_OUT;
    }

    /** Of an HTTP status that is no success and no redirect. */
    static WebProblem ofStatus(int status) {
        if (status == 404 || status == 410) {
            return NOT_FOUND;
        }
        if (status == 429 || status == 503) {
            return BUSY;
        }
        return status == 408 ? TIMED_OUT : status >= 500 ? SERVER_ERROR : REFUSED;
    }
}
