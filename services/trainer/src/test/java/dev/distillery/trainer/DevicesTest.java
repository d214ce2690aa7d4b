package dev.distillery.trainer;

import java.util.List;
import java.util.Optional;

import ai.djl.Device;
import dev.distillery.diffusion.tensor.Torch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class DevicesTest {

    @Test
    void shouldTakeAllThereAreUnlessSomeAreNamed() {
        assertThat(Devices.of(Optional.empty())).isEqualTo(Torch.devices());
        assertThat(Devices.of(Optional.of(List.of("cpu", "cpu")))).containsExactly(Device.cpu(), Device.cpu());
    }

    @ParameterizedTest
    @ValueSource(strings = {"gpu", "cuda", "cuda:99", "CPU"})
    void shouldSayWhichThereAreWhenOneIsNot(String name) {
        assertThatThrownBy(() -> Devices.of(Optional.of(List.of(name))))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("'distillery.trainer.devices' must be of")
                .hasMessageContaining("cpu")
                .hasMessageEndingWith("but had '" + name + "'");
    }
}
