package dev.distillery.diffusion.singlefile;

import java.io.IOException;
import java.nio.channels.WritableByteChannel;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import dev.distillery.diffusion.distill.Student;
import dev.distillery.diffusion.safetensors.SafetensorsFile;
import dev.distillery.diffusion.safetensors.SafetensorsWriter;
import dev.distillery.diffusion.safetensors.TensorInfo;
import dev.distillery.diffusion.unet.UNet2DCondition;
import dev.distillery.diffusion.unet.UNetConfig;

/**
 * What a teacher's LoRA has for a student: adapters of layers that the student has not are dropped, the others take the student's
 * names. Files of diffusers, peft and kohya's scripts are known, by diffusers' and by the original code's names of layers; what is for
 * text encoders stays.
 *
 * @param kept layers as the student calls them
 * @param dropped layers as the file calls them
 * @param tensors that are kept: the file's key -> the student's
 */
public record StudentLora(List<String> kept, List<String> dropped, Map<String, String> tensors) {
    private static final String KOHYA = "lora_unet_";
    private static final Pattern TEXT = Pattern.compile("(lora_te\\d?_|text_encoder(_\\d)?\\.).*");
    private static final Pattern TENSOR = Pattern.compile("(.+?)(\\.(?:lora[._].*|alpha|dora_scale|diff.*))");

    /**
     * Says what would be kept.
     *
     * @throws IllegalArgumentException naming a key that belongs to no layer of the teacher
     */
    public static StudentLora of(SafetensorsFile lora, UNetConfig teacher, Student student) {
        Map<String, String> originals = OriginalUNet.names(
                teacher, UNet2DCondition.parameterShapes(teacher).keySet());
        Map<String, String> students = students(originals, student);
        Set<String> teachers = new HashSet<>();
        originals.forEach((key, original) -> teachers.addAll(names(key, original)));
        var kept = new TreeSet<String>();
        var dropped = new TreeSet<String>();
        var tensors = new LinkedHashMap<String, String>();
        for (String key : lora.tensors().keySet()) {
            Matcher parts = TENSOR.matcher(key);
            String layer = parts.matches() ? parts.group(1) : key;
            if (TEXT.matcher(key).matches()) {
                tensors.put(key, key);
            } else if (students.containsKey(layer)) {
                kept.add(students.get(layer));
                tensors.put(key, students.get(layer) + parts.group(2));
            } else if (teachers.contains(layer)) {
                dropped.add(layer);
            } else {
                throw new IllegalArgumentException("'" + key + "' adapts no layer of this teacher");
            }
        }
        return new StudentLora(List.copyOf(kept), List.copyOf(dropped), tensors);
    }

    /** Each name that the teacher's layers have, and the student's name of the same kind. */
    private static Map<String, String> students(Map<String, String> originals, Student student) {
        Map<String, String> own =
                OriginalUNet.names(student.config(), student.teacherKeys().keySet());
        var students = new HashMap<String, String>();
        student.teacherKeys().forEach((key, taught) -> {
            List<String> from = names(taught, originals.get(taught));
            List<String> to = names(key, own.get(key));
            for (int i = 0; i < from.size(); i++) {
                students.put(from.get(i), to.get(i));
            }
        });
        return students;
    }

    /** What files may call the layer of a parameter: peft of a U-Net alone, diffusers, kohya by either's names. */
    private static List<String> names(String key, String original) {
        String layer = layer(key);
        return List.of(
                layer,
                "unet." + layer,
                KOHYA + layer.replace('.', '_'),
                KOHYA + layer(original).replace('.', '_'));
    }

    private static String layer(String key) {
        return key.replaceFirst("\\.(weight|bias)$", "");
    }

    /** Writes what is kept, in the types that it has. The channel is closed. */
    public void write(SafetensorsFile lora, WritableByteChannel channel) throws IOException {
        var plan = new SafetensorsWriter.Plan();
        lora.metadata().forEach(plan::metadata);
        tensors.forEach((from, to) -> {
            TensorInfo tensor = lora.tensors().get(from);
            plan.add(to, tensor.dtype(), tensor.shape());
        });
        try (var writer = new SafetensorsWriter(channel, plan)) {
            for (Map.Entry<String, String> tensor : tensors.entrySet()) {
                writer.write(tensor.getValue(), lora.data(tensor.getKey()));
            }
        }
    }
}
