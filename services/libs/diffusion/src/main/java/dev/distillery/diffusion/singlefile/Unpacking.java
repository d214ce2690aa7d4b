package dev.distillery.diffusion.singlefile;

import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

import ai.djl.ndarray.types.Shape;
import dev.distillery.diffusion.safetensors.SafetensorsFile;
import dev.distillery.diffusion.safetensors.SafetensorsWriter;
import dev.distillery.diffusion.safetensors.TensorInfo;
import dev.distillery.diffusion.singlefile.OriginalTensor.Change;

/** One component's weights as diffusers names them, each a part of a tensor of the single file. */
final class Unpacking {
    /** @param offset bytes of the original tensor before this one's */
    private record Part(TensorInfo from, long offset, long bytes, boolean transposed) {}

    private static final int NAMED = 3;
    private static final int BLOCK_BYTES = 1 << 20;

    private final SafetensorsWriter.Plan plan = new SafetensorsWriter.Plan();
    private final List<Part> parts = new ArrayList<>();
    private final Set<String> used = new HashSet<>();

    /**
     * @param component for messages
     * @param parameters shape of everything that the component must have, by diffusers key
     * @param originals how the single file has them
     * @param file its tensors by name
     * @throws IllegalArgumentException naming what is not there, or has another shape
     */
    Unpacking(
            String component,
            Map<String, Shape> parameters,
            List<OriginalTensor> originals,
            Map<String, TensorInfo> file) {
        Map<String, long[]> shapes = new LinkedHashMap<>();
        parameters.forEach((key, shape) -> shapes.put(key, shape.getShape()));
        List<String> problems = new ArrayList<>();
        for (OriginalTensor original : originals) {
            TensorInfo tensor = file.get(original.name());
            long[] shape = original.shape(shapes);
            if (tensor == null) {
                problems.add("no " + original.name());
            } else if (!fits(tensor, shape, original.change())) {
                problems.add(original.name() + " is " + Arrays.toString(tensor.shape()) + " and not "
                        + Arrays.toString(shape));
            } else {
                take(original, tensor, shapes);
            }
        }
        if (!problems.isEmpty()) {
            int more = problems.size() - NAMED;
            throw new IllegalArgumentException("does not hold the " + component
                    + " that its configuration describes: "
                    + String.join("; ", problems.subList(0, Math.min(NAMED, problems.size())))
                    + (more > 0 ? "; and " + more + " more" : ""));
        }
    }

    /** A 1x1 kernel may have one axis of length 1, or none, as old files have it. */
    private static boolean fits(TensorInfo tensor, long[] shape, Change change) {
        long[] actual = tensor.shape();
        return change == Change.AS_KERNEL
                ? actual.length >= 2
                        && actual[0] == shape[0]
                        && actual[1] == shape[1]
                        && tensor.elements() == shape[0] * shape[1]
                : Arrays.equals(actual, shape);
    }

    private void take(OriginalTensor original, TensorInfo tensor, Map<String, long[]> shapes) {
        used.add(original.name());
        long offset = 0;
        for (String key : original.from()) {
            long[] shape = shapes.get(key);
            long bytes = Arrays.stream(shape).reduce(tensor.dtype().bytes(), Math::multiplyExact);
            plan.add(key, tensor.dtype(), shape);
            parts.add(new Part(tensor, offset, bytes, original.change() == Change.TRANSPOSED));
            offset += bytes;
        }
    }

    /** The tensors of the single file that are in it. */
    Set<String> used() {
        return used;
    }

    long bytes() {
        return plan.fileBytes();
    }

    /**
     * The weights as a safetensors file of their own, read block by block.
     *
     * @param file the single file, which stays open as long as this is read
     */
    InputStream open(SafetensorsFile file) {
        return new Stream(file);
    }

    private final class Stream extends InputStream {
        private final SafetensorsFile file;
        private final Iterator<Part> toCome = parts.iterator();
        private final ByteBuffer block = ByteBuffer.allocate(BLOCK_BYTES);
        private ByteBuffer now = ByteBuffer.wrap(plan.header());
        private Part part;
        private long left;

        Stream(SafetensorsFile file) {
            this.file = file;
        }

        @Override
        public int read(byte[] target, int offset, int length) {
            while (!now.hasRemaining() && length > 0) {
                if (left == 0 && !toCome.hasNext()) {
                    return -1;
                }
                next();
            }
            int n = Math.min(length, now.remaining());
            now.get(target, offset, n);
            return n;
        }

        private void next() {
            if (left == 0) {
                part = toCome.next();
                left = part.bytes;
            }
            String name = part.from.name();
            if (part.transposed) {
                ByteBuffer whole = ByteBuffer.allocate(Math.toIntExact(left));
                file.read(name, 0, whole);
                now = OriginalTensor.transposed(
                        whole.flip(), part.from.shape(), part.from.dtype().bytes());
                left = 0;
            } else {
                block.clear().limit((int) Math.min(left, BLOCK_BYTES));
                file.read(name, part.offset + part.bytes - left, block);
                now = block.flip();
                left -= now.remaining();
            }
        }

        @Override
        public int read() {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }
    }
}
