package dev.distillery.dataingest.source.web;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Arrays;
import java.util.List;

/**
 * Which addresses are those of the public internet.
 *
 * @see <a href="https://www.iana.org/assignments/iana-ipv4-special-registry">IANA's special-purpose addresses of IPv4</a>
 * @see <a href="https://www.iana.org/assignments/iana-ipv6-special-registry">and of IPv6</a>
 */
final class PublicAddresses {
    private static final List<Block> NOT_PUBLIC_IPV4 = blocks(
            "0.0.0.0/8", // this host
            "10.0.0.0/8", // private
            "100.64.0.0/10", // a carrier's own
            "127.0.0.0/8", // loopback
            "168.63.129.16/32", // public by its number, but a virtual machine's own host at Azure
            "169.254.0.0/16", // link-local, and the clouds' metadata
            "172.16.0.0/12", // private
            "192.0.0.0/24", // protocols
            "192.0.2.0/24", // documentation
            "192.88.99.0/24", // relays to IPv6
            "192.168.0.0/16", // private
            "198.18.0.0/15", // benchmarks
            "198.51.100.0/24", // documentation
            "203.0.113.0/24", // documentation
            "224.0.0.0/4", // multicast
            "240.0.0.0/4"); // reserved, and broadcast

    private static final List<Block> PUBLIC_IPV6 = blocks("2000::/3");
    private static final List<Block> NOT_PUBLIC_IPV6 = blocks(
            "2001::/23", // protocols, and Teredo, which has an IPv4 address in it
            "2001:db8::/32", // documentation
            "2002::/16", // 6to4, which has an IPv4 address in it
            "3fff::/20"); // documentation

    /** Behind these 96 bits stands an IPv4 address: that of a network that speaks IPv6 only, and IPv4's own form in IPv6. */
    private static final List<Block> IPV4_IN_IPV6 = blocks("64:ff9b::/96", "::ffff:0:0/96");

    private PublicAddresses() {}

    static boolean contains(InetAddress address) {
        return contains(address.getAddress());
    }

    private static boolean contains(byte[] address) {
        if (address.length == 4) {
            return !in(NOT_PUBLIC_IPV4, address);
        }
        if (in(IPV4_IN_IPV6, address)) {
            return contains(Arrays.copyOfRange(address, 12, 16));
        }
        return in(PUBLIC_IPV6, address) && !in(NOT_PUBLIC_IPV6, address);
    }

    /** Addresses that begin with the same bits. */
    private record Block(byte[] first, int bits) {
        boolean has(byte[] address) {
            for (int bit = 0; bit < bits; bit++) {
                int mask = 0x80 >> bit % 8;
                if (((first[bit / 8] ^ address[bit / 8]) & mask) != 0) {
                    return false;
                }
            }
            return true;
        }
    }

    private static boolean in(List<Block> blocks, byte[] address) {
        return blocks.stream().anyMatch(block -> block.has(address));
    }

    private static List<Block> blocks(String... notations) {
        return Arrays.stream(notations).map(PublicAddresses::block).toList();
    }

    private static Block block(String notation) {
        String[] parts = notation.split("/");
        int bits = Integer.parseInt(parts[1]);
        if (parts[0].startsWith("::ffff:")) { // which Java takes for the IPv4 address in it
            byte[] mapped = new byte[16];
            mapped[10] = mapped[11] = (byte) 0xff;
            return new Block(mapped, bits);
        }
        try {
            return new Block(InetAddress.getByName(parts[0]).getAddress(), bits);
        } catch (UnknownHostException e) {
            throw new IllegalArgumentException(notation, e);
        }
    }
}
