package dev.distillery.converter.report;

import java.util.LinkedHashMap;
import java.util.Map;

import dev.distillery.converter.report.NetworkShape.Kind;
import dev.distillery.converter.report.NetworkShape.Layer;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class NetworkShapeTest {

    @Test
    void shouldTellKeptRemovedAndThinnedLayersWhenStudentLacksSome() {
        // Given a teacher of one down block with two pairs, and a student that has the first, with one of two
        // transformers
        Map<String, Long> teacher = Map.of(
                "conv_in.weight", 5L,
                "down_blocks.0.resnets.0.conv1.weight", 10L,
                "down_blocks.0.attentions.0.transformer_blocks.0.ff.weight", 20L,
                "down_blocks.0.attentions.0.transformer_blocks.1.ff.weight", 20L,
                "down_blocks.0.resnets.1.conv1.weight", 10L,
                "down_blocks.0.downsamplers.0.conv.weight", 3L);
        Map<String, Long> student = Map.of(
                "conv_in.weight", 5L,
                "down_blocks.0.resnets.0.conv1.weight", 10L,
                "down_blocks.0.attentions.0.transformer_blocks.0.ff.weight", 20L,
                "down_blocks.0.downsamplers.0.conv.weight", 3L);

        // When
        NetworkShape shape = NetworkShape.of(teacher, student, key -> key);

        // Then
        assertThat(shape.stages()).hasSize(1);
        assertThat(shape.stages().get(0).layers())
                .containsExactly(
                        new Layer(Kind.RESNET, 0, 0, 10, 10),
                        new Layer(Kind.ATTENTION, 2, 1, 40, 20),
                        new Layer(Kind.RESNET, 0, 0, 10, 0),
                        new Layer(Kind.DOWN, 0, 0, 3, 3));
        assertThat(shape.teacherParameters()).isEqualTo(68);
        assertThat(shape.studentParameters()).isEqualTo(38);
    }

    @Test
    void shouldPlaceStudentsLayersWhereTheTeacherHasThemWhenKeysDiffer() {
        // Given a student whose second layer is the teacher's third
        Map<String, Long> teacher = Map.of(
                "up_blocks.0.resnets.0.conv1.weight", 1L,
                "up_blocks.0.resnets.1.conv1.weight", 2L,
                "up_blocks.0.resnets.2.conv1.weight", 4L);
        Map<String, Long> student =
                Map.of("up_blocks.0.resnets.0.conv1.weight", 1L, "up_blocks.0.resnets.1.conv1.weight", 4L);

        // When
        NetworkShape shape = NetworkShape.of(teacher, student, key -> key.replace("resnets.1", "resnets.2"));

        // Then
        assertThat(shape.stages().get(0).layers()).extracting(Layer::kept).containsExactly(true, false, true);
    }

    /** The shape of the example's teacher and its small student, with made sizes. */
    static NetworkShape miniShape() {
        Map<String, Long> teacher = new LinkedHashMap<>();
        Map<String, Long> student = new LinkedHashMap<>();
        for (int i = 0; i < 3; i++) {
            for (int j = 0; j < 3; j++) {
                if (j < 2) {
                    layer(teacher, student, "down_blocks." + i, j, i > 0, j == 0);
                }
                layer(teacher, student, "up_blocks." + i, j, i < 2, j != 1);
            }
            if (i < 2) {
                both(teacher, student, "down_blocks." + i + ".downsamplers.0.conv.weight", 83_000, true);
                both(teacher, student, "up_blocks." + i + ".upsamplers.0.conv.weight", 83_000, true);
            }
        }
        both(teacher, student, "mid_block.resnets.0.conv1.weight", 300_000, true);
        both(teacher, student, "mid_block.attentions.0.transformer_blocks.1.w", 500_000, true);
        both(teacher, student, "mid_block.resnets.1.conv1.weight", 300_000, true);
        return NetworkShape.of(teacher, student, key -> key);
    }

    private static void layer(
            Map<String, Long> teacher, Map<String, Long> student, String stage, int j, boolean attends, boolean kept) {
        both(teacher, student, stage + ".resnets." + j + ".conv1.weight", 250_000, kept);
        if (attends) {
            both(teacher, student, stage + ".attentions." + j + ".transformer_blocks.1.w", 420_000, kept);
        }
    }

    private static void both(
            Map<String, Long> teacher, Map<String, Long> student, String key, long size, boolean kept) {
        teacher.put(key, size);
        if (kept) {
            student.put(key, size);
        }
    }
}
