package dev.distillery.diffusion.image;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.CRC32;

import dev.distillery.diffusion.Golden;
import dev.distillery.diffusion.image.ImageDecodingException.Reason;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

/** Held against Pillow and torchvision: {@code src/test/python/golden_image.py}. */
class RgbImageTest {
    private static final Path GOLDEN = Golden.folder("image");

    static Stream<Path> resized() throws IOException {
        return Files.list(GOLDEN.resolve("resize")).sorted();
    }

    @ParameterizedTest
    @MethodSource("resized")
    void shouldGivePillowsBytesWhenResized(Path expected) throws IOException {
        // Given photo.png and a golden file named WxH.rgb or short-N-WxH.rgb
        RgbImage photo = RgbImage.decode(Files.readAllBytes(GOLDEN.resolve("photo.png")));
        String[] name = expected.getFileName().toString().replace(".rgb", "").split("-");
        String[] size = name[name.length - 1].split("x");

        // When
        RgbImage resized = name.length > 1
                ? photo.resizeToCover(Integer.parseInt(name[1]), Integer.parseInt(name[1]))
                : photo.resize(Integer.parseInt(size[0]), Integer.parseInt(size[1]));

        // Then
        assertThat(resized.width() + "x" + resized.height()).isEqualTo(size[0] + "x" + size[1]);
        assertThat(resized.rgb()).isEqualTo(Files.readAllBytes(expected));
    }

    static Stream<Path> resizedByACubic() throws IOException {
        return Files.list(GOLDEN.resolve("bicubic")).sorted();
    }

    @ParameterizedTest
    @MethodSource("resizedByACubic")
    void shouldGivePillowsBytesWhenResizedByACubic(Path expected) throws IOException {
        // Given photo.png and a golden file named WxH.rgb
        RgbImage photo = RgbImage.decode(Files.readAllBytes(GOLDEN.resolve("photo.png")));
        String[] size = expected.getFileName().toString().replace(".rgb", "").split("x");

        // When
        RgbImage resized = photo.resize(Integer.parseInt(size[0]), Integer.parseInt(size[1]), Resampling.BICUBIC);

        // Then
        assertThat(resized.rgb()).isEqualTo(Files.readAllBytes(expected));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "photo.png",
                "alpha.png",
                "palette.png",
                "grey.png",
                "grey-alpha.png",
                "bits.png",
                "gif.gif",
                "bmp.bmp",
                "lossless.webp",
                "lossless-alpha.webp"
            })
    void shouldGivePillowsBytesWhenTheFormatIsLossless(String file) throws IOException {
        // Given
        byte[] bytes = Files.readAllBytes(GOLDEN.resolve(file));

        // When
        RgbImage image = RgbImage.decode(bytes);

        // Then
        assertThat(image.width()).isEqualTo(83);
        assertThat(image.rgb()).isEqualTo(Files.readAllBytes(GOLDEN.resolve(file + ".rgb")));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "jpeg.jpg",
                "progressive.jpg",
                "grey.jpg",
                "exif-2.jpg",
                "exif-3.jpg",
                "exif-4.jpg",
                "exif-5.jpg",
                "exif-6.jpg",
                "exif-7.jpg",
                "exif-8.jpg"
            })
    void shouldDecodeJpegUprightAndWithinTheFreedomOfItsTransform(String file) throws IOException {
        // Given
        byte[] expected = Files.readAllBytes(GOLDEN.resolve(file + ".rgb"));

        // When
        byte[] actual =
                RgbImage.decode(Files.readAllBytes(GOLDEN.resolve(file))).rgb();

        // Then
        assertThat(actual).hasSameSizeAs(expected);
        double difference = 0;
        for (int i = 0; i < actual.length; i++) {
            difference += Math.abs((actual[i] & 0xff) - (expected[i] & 0xff));
        }
        assertThat(difference / actual.length).as("mean difference of 255").isLessThan(0.5);
    }

    @Test
    void shouldSayWhyWhenAFileIsNoImage() {
        assertReason(new byte[0], Reason.EMPTY);
        assertReason("<!DOCTYPE html><html>404</html>".getBytes(), Reason.UNKNOWN_FORMAT);
        assertReason("version https://git-lfs.github.com/spec/v1".getBytes(), Reason.UNKNOWN_FORMAT);
    }

    @ParameterizedTest
    @ValueSource(strings = {"photo.png", "jpeg.jpg", "progressive.jpg", "gif.gif", "bmp.bmp", "lossless.webp"})
    void shouldRefuseEveryFileThatIsCutShort(String file) throws IOException {
        // Given
        byte[] whole = Files.readAllBytes(GOLDEN.resolve(file));

        for (int percent : new int[] {10, 50, 90}) {
            // When
            byte[] cut = Arrays.copyOf(whole, whole.length * percent / 100);

            // Then
            assertThatThrownBy(() -> RgbImage.decode(cut))
                    .as(percent + " % of " + file)
                    .isInstanceOf(ImageDecodingException.class);
        }
    }

    @Test
    void shouldRefuseAPixelBombByItsHeader() throws IOException {
        // Given a PNG whose header claims 60000 x 60000 pixels
        byte[] bomb = Files.readAllBytes(GOLDEN.resolve("photo.png"));
        bomb[18] = bomb[22] = (byte) (60000 >> 8);
        bomb[19] = bomb[23] = (byte) 60000;
        CRC32 crc = new CRC32();
        crc.update(bomb, 12, 17);
        ByteBuffer.wrap(bomb).putInt(29, (int) crc.getValue());

        // When, Then
        assertReason(bomb, Reason.TOO_LARGE);
    }

    @Test
    void shouldComeBackFromPngAndFromAModelsNumbers() throws IOException {
        // Given
        RgbImage photo = RgbImage.decode(Files.readAllBytes(GOLDEN.resolve("photo.png")));
        float[] chw = new float[3 * 83 * 61];

        // When
        photo.toChw(chw, 0);

        // Then
        assertThat(chw[83 * 61]).isCloseTo((photo.rgb()[1] & 0xff) / 127.5f - 1, within(1e-6f));
        assertThat(RgbImage.fromChw(chw, 83, 61).rgb()).isEqualTo(photo.rgb());
        assertThat(RgbImage.decode(photo.png()).rgb()).isEqualTo(photo.rgb());
    }

    @Test
    void shouldCropFlipAndTile() {
        // Given two pixels, black and grey
        RgbImage image = new RgbImage(2, 1, new byte[] {0, 0, 0, 9, 9, 9});

        // When
        RgbImage grid = RgbImage.grid(List.of(image, image.flip(), image), 2, 1);

        // Then
        assertThat(image.crop(1, 0, 1, 1).rgb()).containsExactly(9, 9, 9);
        assertThat(grid.width()).isEqualTo(5);
        assertThat(grid.height()).isEqualTo(3);
        assertThat(Arrays.copyOf(grid.rgb(), 15)).containsExactly(0, 0, 0, 9, 9, 9, -1, -1, -1, 9, 9, 9, 0, 0, 0);
    }

    private static void assertReason(byte[] file, Reason reason) {
        assertThatThrownBy(() -> RgbImage.decode(file))
                .isInstanceOfSatisfying(ImageDecodingException.class, e -> assertThat(e.reason())
                        .isEqualTo(reason));
    }
}
