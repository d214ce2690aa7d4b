package dev.distillery.diffusion.distill;

import java.util.Map;
import java.util.Set;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import dev.distillery.diffusion.tensor.Weights;

/** A student's first weights: those of the teacher, by the layout's table of keys. */
record KeptTensors(Map<String, String> teacherKeys, Weights.Source teacher) implements Weights.Source {
    @Override
    public Set<String> keys() {
        return teacherKeys.keySet();
    }

    @Override
    public Shape shape(String key) {
        return teacher.shape(teacherKeys.get(key));
    }

    /** A copy: what a file's source loads may be the file itself, mapped, which cannot be changed. */
    @Override
    public NDArray load(String key) {
        try (NDArray mapped = teacher.load(teacherKeys.get(key))) {
            return mapped.duplicate();
        }
    }
}
