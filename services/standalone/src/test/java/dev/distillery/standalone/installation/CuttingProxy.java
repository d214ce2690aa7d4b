package dev.distillery.standalone.installation;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/** A connection to a server that breaks after some bytes of an answer, some times. */
final class CuttingProxy implements AutoCloseable {
    private final ServerSocket socket = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    private final URI server;
    private final long cutAfter;
    private final AtomicInteger cutsLeft;
    private final AtomicLong sent = new AtomicLong();
    private final List<Socket> open = new CopyOnWriteArrayList<>();
    private volatile boolean closesAtCut;

    /**
     * @param cutAfter bytes of one connection
     * @param cuts how often; later connections hold
     */
    CuttingProxy(String endpoint, long cutAfter, int cuts) throws IOException {
        server = URI.create(endpoint);
        this.cutAfter = cutAfter;
        cutsLeft = new AtomicInteger(cuts);
        start(this::accept);
    }

    String endpoint() {
        return "http://127.0.0.1:" + socket.getLocalPort();
    }

    /** The server is gone then. */
    void closeAfterFirstCut() {
        closesAtCut = true;
    }

    /** Bytes of all answers. */
    long sent() {
        return sent.get();
    }

    private static void start(Runnable work) {
        Thread thread = new Thread(work, "cutting-proxy");
        thread.setDaemon(true);
        thread.start();
    }

    private void accept() {
        while (!socket.isClosed()) {
            try {
                Socket client = socket.accept();
                Socket to = new Socket(server.getHost(), server.getPort());
                open.addAll(List.of(client, to));
                if (socket.isClosed()) { // after close() went through those that were open
                    client.close();
                    to.close();
                    return;
                }
                start(() -> copy(client, to, Long.MAX_VALUE, new AtomicLong()));
                start(() -> copy(to, client, cutAfter, sent));
            } catch (IOException e) {
                return; // closed
            }
        }
    }

    private void copy(Socket from, Socket to, long most, AtomicLong counted) {
        try (from;
                to) {
            InputStream in = from.getInputStream();
            OutputStream out = to.getOutputStream();
            byte[] buffer = new byte[16_384];
            long done = 0;
            for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                out.write(buffer, 0, n);
                counted.addAndGet(n);
                done += n;
                if (done >= most && cutsLeft.getAndDecrement() > 0) {
                    if (closesAtCut) {
                        close();
                    }
                    return;
                }
            }
        } catch (IOException e) {
            // either side has closed
        }
    }

    @Override
    public void close() throws IOException {
        socket.close();
        for (Socket connection : open) {
            connection.close();
        }
    }
}
