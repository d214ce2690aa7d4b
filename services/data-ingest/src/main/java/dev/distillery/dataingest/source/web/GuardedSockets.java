package dev.distillery.dataingest.source.web;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketAddress;
import java.util.function.Predicate;

import javax.net.SocketFactory;

/**
 * Sockets that connect to allowed addresses only. Asked here, the question is about the very address that is connected to: it
 * does not matter how it was spelled, which name led to it, what that name meant a moment ago or which redirect asked for it.
 */
final class GuardedSockets extends SocketFactory {
    private final Predicate<InetSocketAddress> allowed;

    GuardedSockets(Predicate<InetSocketAddress> allowed) {
        this.allowed = allowed;
    }

    /** The public internet, at the ports of the web. */
    static boolean isPublic(InetSocketAddress address) {
        return PublicAddresses.contains(address.getAddress()) && (address.getPort() == 80 || address.getPort() == 443);
    }

    /** An address that must not be asked. */
    static final class NotAllowedException extends IOException {
        private static final long serialVersionUID = 1L;

        NotAllowedException(String message) {
            super(message);
        }
    }

    @Override
    public Socket createSocket() {
        return new Socket() {
            @Override
            public void connect(SocketAddress endpoint, int timeout) throws IOException {
                if (!(endpoint instanceof InetSocketAddress address)
                        || address.isUnresolved()
                        || !allowed.test(address)) {
                    throw new NotAllowedException(
                            String.valueOf(endpoint).replaceFirst(".*/", "") + " is not of the public web");
                }
                super.connect(endpoint, timeout);
            }
        };
    }

    @Override
    public Socket createSocket(String host, int port) throws IOException {
        return connected(new InetSocketAddress(host, port));
    }

    @Override
    public Socket createSocket(InetAddress host, int port) throws IOException {
        return connected(new InetSocketAddress(host, port));
    }

    @Override
    public Socket createSocket(String host, int port, InetAddress localHost, int localPort) throws IOException {
        return createSocket(host, port);
    }

    @Override
    public Socket createSocket(InetAddress address, int port, InetAddress localAddress, int localPort)
            throws IOException {
        return createSocket(address, port);
    }

    private Socket connected(InetSocketAddress address) throws IOException {
        Socket socket = createSocket();
        socket.connect(address);
        return socket;
    }
}
