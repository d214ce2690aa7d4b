package dev.distillery.diffusion.unet;

import java.io.IOException;
import java.util.List;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.diffusion.Golden;
import dev.distillery.diffusion.unet.UNetConfig.MidKind;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class UNetConfigTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    private static ObjectNode with(String key, String value) throws IOException {
        ObjectNode json =
                UNetConfig.read(Golden.miniSdxl().resolve("unet")).json().deepCopy();
        json.set(key, JSON.readTree(value));
        return json;
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            quoteCharacter = '`',
            value = {
                "act_fn; \"relu\"",
                "class_embed_type; \"timestep\"",
                "mid_block_type; \"UNetMidBlock2DSimpleCrossAttn\"",
                "resnet_time_scale_shift; \"scale_shift\"",
                "down_block_types; [\"DownBlock2D\",\"AttnDownBlock2D\",\"DownBlock2D\"]",
                "attention_head_dim; [1,2]",
                "addition_time_embed_dim; null",
                "block_out_channels; null"
            })
    void shouldNameTheKeyAndValueItDoesNotSupport(String key, String value) throws IOException {
        ObjectNode json = with(key, value);
        assertThatThrownBy(() -> UNetConfig.of(json)).hasMessageContaining("'" + key);
    }

    @Test
    void shouldReadDepthsPerLayerAndTheirReverse() throws IOException {
        // Given
        ObjectNode json = with("transformer_layers_per_block", "[0, 2, [4, 3]]");
        json.set("reverse_transformer_layers_per_block", JSON.readTree("[[4, 3, 9], [2, 1, 1], 0]"));
        json.put("mid_block_type", "UNetMidBlock2D");
        // When
        UNetConfig config = UNetConfig.of(json);
        // Then
        assertThat(config.down().get(2).depths()).isEqualTo(List.of(4, 3));
        assertThat(config.up().get(0).depths()).isEqualTo(List.of(4, 3, 9));
        assertThat(config.up().get(2).depths()).isEqualTo(List.of(0, 0, 0));
        assertThat(config.mid()).isEqualTo(new UNetConfig.Mid(MidKind.RESNET, 0));
    }
}
