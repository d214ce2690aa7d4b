package dev.distillery.diffusion.tensor;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.stream.Collectors;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * Packs TorchScript text into the archive that libtorch loads: a stored zip of the code and of an object without state.
 * So the operators stay readable text in this repository, and no Python is needed to build them.
 */
final class TorchScript {
    /** Pickle of {@code __torch__.Ops()} with an empty state: protocol 2, global, empty tuple, newobj, dict, build. */
    private static final byte[] OBJECT = pickle("c__torch__\nOps\n)\u0081}b.");

    /** Pickle of the empty tuple. */
    private static final byte[] NO_CONSTANTS = pickle(").");

    private TorchScript() {}

    static InputStream archive(String source) {
        var bytes = new ByteArrayOutputStream();
        try (var zip = new ZipOutputStream(bytes)) {
            store(zip, "ops/data.pkl", OBJECT);
            store(zip, "ops/code/__torch__.py", withoutComments(source).getBytes(StandardCharsets.UTF_8));
            store(zip, "ops/constants.pkl", NO_CONSTANTS);
            store(zip, "ops/version", "3\n".getBytes(StandardCharsets.US_ASCII));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return new ByteArrayInputStream(bytes.toByteArray());
    }

    /** The serialized dialect has no comments between methods. */
    private static String withoutComments(String source) {
        return source.lines().filter(line -> !line.strip().startsWith("#")).collect(Collectors.joining("\n", "", "\n"));
    }

    private static byte[] pickle(String opcodes) {
        return ("\u0080\u0002" + opcodes).getBytes(StandardCharsets.ISO_8859_1);
    }

    private static void store(ZipOutputStream zip, String name, byte[] content) throws IOException {
        var checksum = new CRC32();
        checksum.update(content);
        var entry = new ZipEntry(name);
        entry.setMethod(ZipEntry.STORED); // libtorch maps the members, so they must not be compressed
        entry.setSize(content.length);
        entry.setCrc(checksum.getValue());
        zip.putNextEntry(entry);
        zip.write(content);
        zip.closeEntry();
    }
}
