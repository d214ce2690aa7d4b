package dev.distillery.embedded;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;

/** TCP ports of this machine. */
public final class Ports {
    private Ports() {}

    /** A port that was free a moment ago. */
    public static int free() {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        } catch (IOException e) {
            throw new EmbeddedException("No free TCP port on this machine: " + e.getMessage(), e);
        }
    }

    /** Kafka ends the JVM when it cannot bind its port, so one looks before. */
    static int requireFree(String who, int port) {
        try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        } catch (IOException e) {
            throw new EmbeddedException(
                    who + " cannot listen on port " + port + " (" + e.getMessage()
                            + "): another program uses it; choose another port",
                    e);
        }
    }
}
