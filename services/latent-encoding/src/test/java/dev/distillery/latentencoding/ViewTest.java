package dev.distillery.latentencoding;

import java.util.stream.LongStream;

import dev.distillery.diffusion.image.RgbImage;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

class ViewTest {
    private static final RgbImage WIDE = new RgbImage(97, 64, new byte[3 * 97 * 64]);
    private static final ImageSize SQUARE = new ImageSize(64, 64);

    @Test
    void shouldCutTheCentreRoundedAsPythonDoes() {
        // Given 33 spare columns
        EncodeSettings settings = EncodeSettings.square(64, false, 0, 1);

        // When
        View view = View.draw(WIDE, SQUARE, settings, 3, 0);

        // Then round(16.5) is 16
        assertThat(view).isEqualTo(new View(16, 0, false));
        assertThat(view.timeIds(WIDE, SQUARE)).containsExactly(64, 97, 0, 16, 64, 64);
    }

    @Test
    void shouldDrawEveryPlaceAndFlipAsOftenAsAskedAndTheSameAgain() {
        // Given
        EncodeSettings settings = EncodeSettings.square(64, true, 0.25, 2);

        // When
        var views = LongStream.range(0, 4000)
                .mapToObj(p -> View.draw(WIDE, SQUARE, settings, p, 1))
                .toList();

        // Then
        assertThat(views).extracting(View::left).contains(0, 33).allMatch(left -> left >= 0 && left <= 33);
        assertThat(views.stream().filter(View::flipped).count() / 4000.0).isCloseTo(0.25, within(0.03));
        assertThat(views.stream().mapToInt(View::left).average().orElseThrow()).isCloseTo(16.5, within(0.6));
        assertThat(View.draw(WIDE, SQUARE, settings, 7, 1)).isEqualTo(views.get(7));
        assertThat(LongStream.range(0, 50).mapToObj(p -> View.draw(WIDE, SQUARE, settings, p, 0)))
                .isNotEqualTo(views.subList(0, 50));
    }
}
