package dev.distillery.converter;

import java.math.BigDecimal;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import dev.distillery.diffusion.safetensors.DType;
import dev.distillery.diffusion.safetensors.SavedWeights;
import dev.distillery.events.Excerpt;

/**
 * What is made of a student's weights, as the fields of {@code convert} in a request say it.
 *
 * @param save of {@code unet}, which is always there, {@code pipeline}, {@code single-file} and {@code kohya}
 * @param dtype {@code fp32}, {@code fp16} or {@code bf16}
 * @param variant part of the files' names; empty: none
 * @param maxShardSize such as {@code 10GB}, by powers of ten
 */
public record Options(Set<String> save, String dtype, Optional<String> variant, String maxShardSize) {
    public static final String UNET = "unet";
    public static final String PIPELINE = "pipeline";
    public static final String SINGLE_FILE = "single-file";
    /** A LoRA by kohya's keys; one by diffusers' is always there. */
    public static final String KOHYA = "kohya";
    /** As diffusers has it. */
    public static final String MAX_SHARD_SIZE = "10GB";

    private static final List<String> KNOWN = List.of(UNET, PIPELINE, SINGLE_FILE, KOHYA);
    private static final Map<String, DType> TYPES =
            new TreeMap<>(Map.of("fp32", DType.F32, "fp16", DType.F16, "bf16", DType.BF16));
    private static final Pattern SIZE = Pattern.compile("(\\d{1,9}(?:\\.\\d{1,3})?)(KB|MB|GB|TB)");
    private static final List<String> UNITS = List.of("KB", "MB", "GB", "TB");

    /** @throws IllegalArgumentException naming field, value and what is allowed */
    public Options {
        var all = new TreeSet<>(save);
        all.add(UNET);
        require("save", save, KNOWN.containsAll(save), "of " + String.join(", ", KNOWN));
        require("dtype", dtype, TYPES.containsKey(dtype), "one of " + String.join(", ", TYPES.keySet()));
        require(
                "variant",
                variant.orElse(""),
                variant.filter(v -> !v.matches("[A-Za-z0-9_]{1,32}")).isEmpty(),
                "a short name such as fp16, of letters, digits and _");
        require("maxShardSize", maxShardSize, bytes(maxShardSize) > 0, "a size such as 10GB or 500MB");
        save = Set.copyOf(all);
    }

    private static void require(String field, Object value, boolean good, String allowed) {
        if (!good) {
            throw new IllegalArgumentException(
                    "'" + field + "' must be " + allowed + " but was '" + Excerpt.of(String.valueOf(value)) + "'");
        }
    }

    /** 0 if it is no size. */
    private static long bytes(String size) {
        Matcher parts = SIZE.matcher(size);
        return parts.matches()
                ? new BigDecimal(parts.group(1))
                        .scaleByPowerOfTen(3 * (1 + UNITS.indexOf(parts.group(2))))
                        .longValue()
                : 0;
    }

    boolean saves(String what) {
        return save.contains(what);
    }

    /** Whether parts of the teacher are needed. */
    public boolean needsTeacher() {
        return saves(PIPELINE) || saves(SINGLE_FILE);
    }

    /** The same, with what was saved before. */
    Options and(Collection<String> more) {
        var all = new TreeSet<>(save);
        all.addAll(more);
        return new Options(all, dtype, variant, maxShardSize);
    }

    SavedWeights.Format format() {
        return new SavedWeights.Format(TYPES.get(dtype), variant, bytes(maxShardSize));
    }

    /** For a manifest. */
    Map<String, Object> about() {
        return new TreeMap<>(
                Map.of("dtype", dtype, "variant", variant.orElse(""), "maxShardSize", maxShardSize, "save", sorted()));
    }

    private List<String> sorted() {
        return save.stream().sorted().toList();
    }
}
