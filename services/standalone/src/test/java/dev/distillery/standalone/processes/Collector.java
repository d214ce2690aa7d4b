package dev.distillery.standalone.processes;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.zip.GZIPInputStream;

import com.sun.net.httpserver.HttpServer;

/** Takes spans as a collector of OpenTelemetry does, over HTTP. */
final class Collector implements AutoCloseable {
    private final HttpServer server;
    private final List<String> received = new CopyOnWriteArrayList<>();

    Collector() throws IOException {
        server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
        server.createContext("/v1/traces", exchange -> {
            boolean zipped = "gzip".equals(exchange.getRequestHeaders().getFirst("Content-Encoding"));
            try (InputStream body = exchange.getRequestBody();
                    InputStream plain = zipped ? new GZIPInputStream(body) : body) {
                received.add(new String(plain.readAllBytes(), StandardCharsets.ISO_8859_1));
            }
            exchange.sendResponseHeaders(200, -1);
            exchange.close();
        });
        server.start();
    }

    String endpoint() {
        return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    /** Whether spans of a service came; names are plain text in OTLP's protobuf. */
    boolean heardOf(String service) {
        return received.stream().anyMatch(spans -> spans.contains(service));
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
