package dev.distillery.diffusion.distill;

import java.util.Map;
import java.util.Set;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import dev.distillery.diffusion.tensor.Weights;

/** A student's first weights: copies of the teacher's, by the layout's table of keys. */
record TeacherCopies(Map<String, String> teacherKeys, Map<String, NDArray> teacher, NDManager manager)
        implements Weights.Source {
    @Override
    public Set<String> keys() {
        return teacherKeys.keySet();
    }

    @Override
    public Shape shape(String key) {
        return teacher.get(teacherKeys.get(key)).getShape();
    }

    @Override
    public NDArray load(String key) {
        NDArray copy = teacher.get(teacherKeys.get(key)).duplicate();
        copy.attach(manager);
        return copy;
    }
}
