package dev.distillery.diffusion.tensor;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;

/**
 * A checkpoint's tensors while a model takes them, by the checkpoint's own keys. A model asks for every key with its
 * shape; {@link #check} then names everything that was missing, mis-shaped or never asked for.
 *
 * <p>Taken arrays belong to the manager of the source.
 */
public final class Weights {
    private final Book book;
    private final String prefix;

    private Weights(Book book, String prefix) {
        this.book = book;
        this.prefix = prefix;
    }

    /** Tensors that a model takes, for example those of a file. */
    public interface Source {
        Set<String> keys();

        Shape shape(String key);

        /** The tensor, attached to a manager that outlives the model. */
        NDArray load(String key);
    }

    public static Weights of(String what, Source source) {
        return new Weights(new Book(what, source, null), "");
    }

    /** No checkpoint: every tensor is what {@code maker} makes of its shape. */
    public static Weights made(Function<Shape, NDArray> maker) {
        return new Weights(new Book("made", null, maker), "");
    }

    /** Tensors without memory: each repeats one number. {@link #shapes} then tells a model's parameters. */
    public static Weights shapesOnly(NDManager owner) {
        NDArray number = owner.create(0f);
        return made(number::broadcast);
    }

    /** The tensors below {@code name.}. */
    public Weights at(String name) {
        return new Weights(book, prefix + name + ".");
    }

    public Weights at(int index) {
        return at(Integer.toString(index));
    }

    /** Whether the source has the key (never, when there is none). */
    public boolean has(String name) {
        return book.source != null && book.source.keys().contains(prefix + name);
    }

    /** The shape that the source has for a key. */
    public Shape shape(String name) {
        return book.source.shape(prefix + name);
    }

    /** The tensor of a key, or a placeholder if it is missing or mis-shaped, which {@link #check} then reports. */
    public NDArray take(String name, long... shape) {
        return book.take(prefix + name, new Shape(shape));
    }

    /** {@code name.weight} and {@code name.bias}, in this order. */
    public List<NDArray> takePair(String name, long... weightShape) {
        return List.of(take(name + ".weight", weightShape), take(name + ".bias", weightShape[0]));
    }

    /** Everything that was taken, in the order of the model. */
    public Map<String, NDArray> taken() {
        return Collections.unmodifiableMap(book.taken);
    }

    /** Shape of every key that was asked for, in the order of the model. */
    public Map<String, Shape> shapes() {
        return Collections.unmodifiableMap(book.shapes);
    }

    /**
     * To be called when the model is complete.
     *
     * @throws WeightsException naming every missing, mis-shaped and unexpected key
     */
    public void check() {
        var unexpected = new TreeSet<>(book.source.keys());
        unexpected.removeAll(book.shapes.keySet());
        if (!unexpected.isEmpty()) {
            book.problems.add("unexpected " + unexpected);
        }
        if (!book.problems.isEmpty()) {
            throw new WeightsException(book.what + ": " + String.join("; ", book.problems));
        }
    }

    private static final class Book {
        private static final NDManager PLACEHOLDERS = Torch.newManager();
        private static final NDArray PLACEHOLDER = PLACEHOLDERS.create(0f);

        final String what;
        final Source source; // null if there is a maker
        final Function<Shape, NDArray> maker;
        final Map<String, NDArray> taken = new LinkedHashMap<>();
        final Map<String, Shape> shapes = new LinkedHashMap<>();
        final List<String> problems = new ArrayList<>();

        Book(String what, Source source, Function<Shape, NDArray> maker) {
            this.what = what;
            this.source = source;
            this.maker = maker;
        }

        NDArray take(String key, Shape shape) {
            if (shapes.put(key, shape) != null) {
                throw new IllegalStateException("the model takes '" + key + "' twice");
            }
            if (source == null) {
                NDArray array = maker.apply(shape);
                taken.put(key, array);
                return array;
            }
            if (!source.keys().contains(key)) {
                problems.add("missing '" + key + "' " + Arrays.toString(shape.getShape()));
                return PLACEHOLDER;
            }
            if (!source.shape(key).equals(shape)) {
                problems.add(
                        "'" + key + "' is " + Arrays.toString(source.shape(key).getShape()) + " but should be "
                                + Arrays.toString(shape.getShape()));
                return PLACEHOLDER;
            }
            NDArray array = source.load(key);
            taken.put(key, array);
            return array;
        }
    }
}
