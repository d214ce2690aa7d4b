package dev.distillery.standalone.processes;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/** An authority of one's own, with keys of servers and clients signed by it; made with the JDK's keytool. */
final class Certificates {
    static final String PASSWORD = "changeit";

    private final Path dir;

    Certificates(Path dir) throws IOException, InterruptedException {
        this.dir = Files.createDirectories(dir);
        keytool(
                "-genkeypair",
                "-alias",
                "ca",
                "-dname",
                "CN=ca",
                "-keyalg",
                "RSA",
                "-ext",
                "bc:c",
                "-keystore",
                "ca.p12");
        keytool("-exportcert", "-rfc", "-alias", "ca", "-keystore", "ca.p12", "-file", "ca.pem");
    }

    /** PEM of the authority. */
    Path authority() {
        return dir.resolve("ca.pem");
    }

    /** A key store of {@code CN=name}, valid for this machine; made when it is first asked for. */
    Path keyStore(String name) throws IOException, InterruptedException {
        String store = name + ".p12";
        if (Files.exists(dir.resolve(store))) {
            return dir.resolve(store);
        }
        keytool("-genkeypair", "-alias", name, "-dname", "CN=" + name, "-keyalg", "RSA", "-keystore", store);
        keytool("-certreq", "-alias", name, "-keystore", store, "-file", name + ".csr");
        keytool(
                "-gencert",
                "-rfc",
                "-alias",
                "ca",
                "-keystore",
                "ca.p12",
                "-infile",
                name + ".csr",
                "-outfile",
                name + ".pem",
                "-ext",
                "san=dns:localhost,ip:127.0.0.1");
        keytool("-importcert", "-noprompt", "-alias", "ca", "-keystore", store, "-file", "ca.pem");
        keytool("-importcert", "-noprompt", "-alias", name, "-keystore", store, "-file", name + ".pem");
        return dir.resolve(store);
    }

    /** PEM of the certificate of a key store that was made. */
    String certificate(String name) throws IOException {
        return Files.readString(dir.resolve(name + ".pem"));
    }

    /** PEM of the key of a key store that was made. */
    String key(String name) throws IOException, GeneralSecurityException {
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(dir.resolve(name + ".p12"))) {
            store.load(in, PASSWORD.toCharArray());
        }
        byte[] key = store.getKey(name, PASSWORD.toCharArray()).getEncoded();
        return "-----BEGIN PRIVATE KEY-----\n" + Base64.getMimeEncoder().encodeToString(key)
                + "\n-----END PRIVATE KEY-----\n";
    }

    private void keytool(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString()));
        command.addAll(List.of(arguments));
        command.addAll(List.of("-storepass", PASSWORD));
        Process process = new ProcessBuilder(command)
                .directory(dir.toFile())
                .redirectErrorStream(true)
                .start();
        String said = new String(process.getInputStream().readAllBytes());
        if (process.waitFor() != 0) {
            throw new AssertionError(command + ":\n" + said);
        }
    }
}
