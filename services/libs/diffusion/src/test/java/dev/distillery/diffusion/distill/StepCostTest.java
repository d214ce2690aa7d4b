package dev.distillery.diffusion.distill;

import java.io.IOException;

import dev.distillery.diffusion.unet.StepCost;
import dev.distillery.diffusion.unet.StepCost.InputSize;
import dev.distillery.diffusion.unet.UNetConfig;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assertions.withinPercentage;

class StepCostTest {

    /** Half of what PyTorch's flop counter tells of diffusers' U-Nets, in 10^9, at 512 and 1024 pixels. */
    @ParameterizedTest
    @CsvSource({
        "sd1, teacher, 64, 401.6",
        "sd1, base, 64, 261.5",
        "sd1, small, 64, 255.4",
        "sd1, tiny, 64, 242.8",
        "sdxl, teacher, 128, 3380.6",
        "sdxl, small, 128, 2251.7",
        "sdxl, tiny, 128, 1853.1"
    })
    void shouldCountTheOperationsThatPyTorchCounts(String family, String layout, int size, double giga)
            throws IOException {
        // When
        StepCost cost = StepCost.of(student(family, layout).config(), new InputSize(1, size, size, 77));
        // Then
        assertThat((cost.macs() + cost.attentionMacs()) / 1e9).isCloseTo(giga, within(0.05));
    }

    /** The numbers that BK-SDM publishes; its script counts norms as well, 0.04 % of them. */
    @ParameterizedTest
    @CsvSource({"teacher, 338.7", "base, 223.8"})
    void shouldCountTheOperationsThatBkSdmCounts(String layout, double giga) throws IOException {
        // When
        StepCost cost = StepCost.of(student("sd1", layout).config(), new InputSize(1, 64, 64, 77));
        // Then
        assertThat(cost.macs() / 1e9).isCloseTo(giga, withinPercentage(0.06));
    }

    private static Student student(String family, String layout) throws IOException {
        UNetConfig teacher = Families.unet(family);
        return Student.of(teacher, Layouts.named(teacher, layout));
    }
}
