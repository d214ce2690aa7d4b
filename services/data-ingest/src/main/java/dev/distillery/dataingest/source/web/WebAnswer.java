package dev.distillery.dataingest.source.web;

import java.io.InputStream;
import java.util.List;
import java.util.Optional;

import okhttp3.Response;

/** What an address gives, while it comes: its host's turn lasts until this is closed. */
final class WebAnswer implements AutoCloseable {
    private final Response response;
    private final Runnable leave;

    WebAnswer(Response response, Runnable leave) {
        this.response = response;
        this.leave = leave;
    }

    int status() {
        return response.code();
    }

    Optional<String> header(String name) {
        return Optional.ofNullable(response.header(name));
    }

    List<String> headers(String name) {
        return response.headers(name);
    }

    /** Of the body, where the host tells it; else -1. */
    long length() {
        return response.body().contentLength();
    }

    InputStream body() {
        return response.body().byteStream();
    }

    @Override
    public void close() {
        try {
            response.close();
        } finally {
            leave.run();
        }
    }
}
