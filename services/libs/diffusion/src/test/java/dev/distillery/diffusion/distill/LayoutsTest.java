package dev.distillery.diffusion.distill;

import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

import dev.distillery.diffusion.unet.UNet2DCondition;
import dev.distillery.diffusion.unet.UNetConfig;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class LayoutsTest {
    @ParameterizedTest
    @CsvSource({"sdxl, 2567463684", "sd1, 859520964", "sd2, 865910724"})
    void shouldCountEveryParameterOfATeacher(String family, long parameters) throws IOException {
        assertThat(Student.parameterCount(Families.unet(family))).isEqualTo(parameters);
    }

    @ParameterizedTest
    @CsvSource({
        "sdxl, small, 1717277764",
        "sdxl, tiny, 1304160324",
        "sdxl, ssd-1b, 1331334404",
        "sdxl, vega, 745225604",
        "sdxl, koala-1b, 1161184324",
        "sdxl, koala-700m, 782822724",
        "sd1, base, 579384964",
        "sd1, small, 482346884",
        "sd1, tiny, 323384964",
        "sd2, base, 583480964",
        "sd2, small, 485787524",
        "sd2, tiny, 326825604"
    })
    void shouldCountEveryParameterOfAStudent(String family, String layout, long parameters) throws IOException {
        // Given
        UNetConfig teacher = Families.unet(family);
        // When
        Student student = Student.of(teacher, Layouts.named(teacher, layout));
        // Then
        assertThat(Student.parameterCount(student.config())).isEqualTo(parameters);
        assertThat(student.teacherKeys().keySet())
                .isEqualTo(UNet2DCondition.parameterShapes(student.config()).keySet());
        assertThat(student.teacherKeys().values()).doesNotHaveDuplicates();
    }

    @Test
    void shouldTakeTheLastLayerOfAnUpBlock() throws IOException {
        UNetConfig teacher = Families.unet("sdxl");
        Student student = Student.of(teacher, Layouts.named(teacher, "small"));
        assertThat(student.teacherKeys())
                .containsEntry("up_blocks.1.resnets.1.conv1.weight", "up_blocks.1.resnets.2.conv1.weight")
                .containsEntry("conv_in.weight", "conv_in.weight");
        assertThat(Set.copyOf(student.teacherKeys().values()))
                .noneMatch(key -> key.startsWith("down_blocks.1.resnets.1"));
    }

    @Test
    void shouldEqualANamedLayoutWhenThatIsDescribed() throws IOException {
        UNetConfig teacher = Families.unet("sdxl");
        Layout described = Layouts.of(
                teacher,
                Layouts.CUSTOM,
                Map.of(
                        "down_blocks.0", "0",
                        "down_blocks.1", "0",
                        "down_blocks.2", "0:6",
                        "mid_block", "6",
                        "up_blocks.0", "0:6 2:6",
                        "up_blocks.1", "0 2",
                        "up_blocks.2", "0 2"));
        Layout named = Layouts.named(teacher, "koala-1b");
        assertThat(Student.of(teacher, described).config())
                .isEqualTo(Student.of(teacher, named).config());
        assertThat(Student.of(teacher, described).teacherKeys())
                .isEqualTo(Student.of(teacher, named).teacherKeys());
    }

    @Test
    void shouldDropTheInnermostLevelWhenItIsNotDescribed() throws IOException {
        UNetConfig teacher = Families.unet("sd1");
        Layout described = Layouts.of(
                teacher,
                Layouts.CUSTOM,
                Map.of(
                        "down_blocks.0",
                        "0",
                        "down_blocks.1",
                        "0",
                        "down_blocks.2",
                        "0",
                        "up_blocks.1",
                        "0 2",
                        "up_blocks.2",
                        "0 2",
                        "up_blocks.3",
                        "0 2"));
        assertThat(Student.parameterCount(Student.of(teacher, described).config()))
                .isEqualTo(323_384_964);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "down_blocks.0|1 0|from 0 to 1 in order",
                "down_blocks.1|0:3|1 to 2 transformer blocks of layer 0",
                "down_blocks.0|0:1|the teacher has none there",
                "up_blocks.1|0 1 2|must keep 2 layers, one more than down_blocks.1",
                "up_blocks.2|all|must list layers",
                "mid_block|11|1 to 10",
                "up_blocks.3|0 2|[up_blocks.3] is there"
            })
    void shouldSayWhatIsWrongWithADescription(String block, String row, String message) throws IOException {
        UNetConfig teacher = Families.unet("sdxl");
        var keep = new HashMap<>(Map.of(
                "down_blocks.0",
                "0",
                "down_blocks.1",
                "0",
                "down_blocks.2",
                "0",
                "up_blocks.0",
                "0 2",
                "up_blocks.1",
                "0 2",
                "up_blocks.2",
                "0 2"));
        keep.put(block, row);
        assertThatThrownBy(() -> Layouts.of(teacher, Layouts.CUSTOM, keep)).hasMessageContaining(message);
    }

    /** Counted by hand: SSD-1B has 6 resnets and 4 transformers down, 1 mid, 9 and 6 up; KOALA 7 and 14 transformer blocks. */
    @ParameterizedTest
    @CsvSource({
        "ssd-1b, LAYER, 26, mid_block, mid_block.resnets.0",
        "koala-700m, LAYER, 15, up_blocks.0.attentions.2, up_blocks.0.attentions.1",
        "koala-700m, SELF_ATTENTION, 23, down_blocks.0, down_blocks.0",
        "koala-700m, SELF_ATTENTION, 23, "
                + "up_blocks.0.attentions.2.transformer_blocks.4.attn1, up_blocks.0.attentions.1.transformer_blocks.4.attn1",
        "koala-700m, BLOCK, 6, mid_block, down_blocks.2"
    })
    void shouldCompareWhatBothNetworksHave(
            String layout, FeaturePoints points, int count, String ofTeacher, String ofStudent) throws IOException {
        UNetConfig teacher = Families.unet("sdxl");
        Student student = Student.of(teacher, Layouts.named(teacher, layout));
        List<FeaturePoints.Pair> pairs = points.pairs(teacher, student);
        assertThat(pairs).hasSize(count).contains(new FeaturePoints.Pair(ofTeacher, ofStudent));
        assertThat(pairs.stream().map(FeaturePoints.Pair::teacher))
                .doesNotHaveDuplicates()
                .allMatch(UNet2DCondition.sites(teacher)::contains);
        assertThat(pairs.stream().map(FeaturePoints.Pair::student))
                .allMatch(UNet2DCondition.sites(student.config())::contains);
    }

    @Test
    void shouldSayWhichLayerATeacherLacksThatIsAStudentItself() throws IOException {
        UNetConfig teacher = Families.unet("sdxl");
        UNetConfig small = Student.of(teacher, Layouts.named(teacher, "small")).config();
        assertThatThrownBy(() -> Student.of(small, Layouts.named(small, "tiny")))
                .hasMessage("a layout keeps layer 2 of a block, counted from 0, where the teacher has 2");
    }

    @ParameterizedTest
    @ValueSource(strings = {"smal", "base", ""})
    void shouldNameTheLayoutsOfTheFamilyWhenThereIsNoSuch(String name) throws IOException {
        UNetConfig teacher = Families.unet("sdxl");
        assertThatThrownBy(() -> Layouts.named(teacher, name))
                .hasMessageContaining("'" + name + "'")
                .hasMessageContaining("small, tiny, ssd-1b, vega, koala-1b, koala-700m");
    }
}
