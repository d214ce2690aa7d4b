package dev.distillery.hub;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;

import com.sun.net.httpserver.HttpExchange;

/** The storage of another host, which knows signed addresses and no token. */
public final class HubStorage {
    private final Map<String, byte[]> objects = new ConcurrentHashMap<>();
    private final Map<String, Map<Integer, byte[]>> parts = new ConcurrentHashMap<>();
    private final List<String> requests = Collections.synchronizedList(new ArrayList<>());
    private volatile int cuts;
    private volatile boolean spoilt;

    /** So many of the next answers, or of the next bodies that are sent here, break off half-way. */
    public synchronized void cut(int times) {
        cuts = times;
    }

    private synchronized boolean cutsNow() {
        return cuts > 0 && cuts-- > 0;
    }

    /** It gives other bytes than were listed. */
    public void spoil() {
        spoilt = true;
    }

    /** Method or range, and authorization, of each request. */
    public List<String> requests() {
        return requests;
    }

    boolean has(String oid) {
        return objects.containsKey(oid);
    }

    byte[] object(String oid) {
        return objects.get(oid);
    }

    /** Joins the parts of an object; whether they are it. */
    boolean join(String oid) {
        var whole = new ByteArrayOutputStream();
        parts.getOrDefault(oid, Map.of()).values().forEach(whole::writeBytes);
        return keep(oid, whole.toByteArray());
    }

    private boolean keep(String oid, byte[] bytes) {
        boolean right = HubReading.sha256(bytes).equals(oid);
        if (right) {
            objects.put(oid, bytes);
        }
        return right;
    }

    /** {@code /upload/OID} or {@code /upload/OID/PART}. */
    void put(HttpExchange exchange, String path) throws IOException {
        requests.add("PUT " + exchange.getRequestHeaders().getFirst("Authorization"));
        if (cutsNow()) {
            exchange.getRequestBody().readNBytes(100); // closing then breaks the connection off
            return;
        }
        String[] names = path.split("/");
        byte[] bytes = Exchanges.body(exchange);
        exchange.getResponseHeaders().add("ETag", "\"part-" + (names.length > 3 ? names[3] : "") + '"');
        if (names.length > 3) {
            parts.computeIfAbsent(names[2], oid -> Collections.synchronizedMap(new TreeMap<>()))
                    .put(Integer.valueOf(names[3]), bytes);
        } else if (!keep(names[2], bytes)) {
            exchange.sendResponseHeaders(400, -1);
            return;
        }
        exchange.sendResponseHeaders(200, -1);
    }

    void get(HttpExchange exchange, byte[] content) throws IOException {
        requests.add(exchange.getRequestHeaders().getFirst("Range") + " "
                + exchange.getRequestHeaders().getFirst("Authorization"));
        byte[] bytes = content.clone();
        if (spoilt) {
            bytes[bytes.length / 2] ^= 1;
        }
        content(exchange, bytes, bytes.length > 1 && exchange.getRequestMethod().equals("GET") && cutsNow());
    }

    static void content(HttpExchange exchange, byte[] bytes, boolean cut) throws IOException {
        String range = exchange.getRequestHeaders().getFirst("Range");
        int from = 0;
        int to = bytes.length;
        if (range != null) {
            String[] ends = range.substring("bytes=".length()).split("-");
            from = Integer.parseInt(ends[0]);
            to = ends.length < 2 ? to : Math.min(to, Integer.parseInt(ends[1]) + 1);
            exchange.getResponseHeaders().add("Content-Range", "bytes " + from + "-" + (to - 1) + "/" + bytes.length);
        }
        if (exchange.getRequestMethod().equals("HEAD")) {
            exchange.getResponseHeaders().add("Content-Length", String.valueOf(to - from));
            exchange.sendResponseHeaders(200, -1);
            return;
        }
        exchange.sendResponseHeaders(range == null ? 200 : 206, to - from == 0 ? -1 : to - from);
        exchange.getResponseBody().write(bytes, from, cut ? (to - from) / 2 : to - from);
    }
}
