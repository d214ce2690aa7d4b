"""Golden images for dev.distillery.diffusion.image, made with Pillow 13.0.0 and torchvision 0.22.1.

    python golden_image.py ../resources/dev/distillery/diffusion/golden/image

For each source file NAME.EXT: NAME.rgb, its pixels as Pillow decodes them (transparency on white, upright).
resize/WxH.rgb and resize/short-N.rgb: photo.png resized by Pillow, and by torchvision's Resize(N); bicubic/WxH.rgb: by
Pillow's other filter.
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps
from torchvision.transforms import InterpolationMode, Resize

out = Path(sys.argv[1])
(out / "resize").mkdir(parents=True, exist_ok=True)
(out / "bicubic").mkdir(exist_ok=True)
rng = np.random.default_rng(0)

# Smooth colours, hard edges and noise in one picture of odd size.
y, x = np.mgrid[0:61, 0:83]
photo = np.stack([3 * x, 4 * y, 2 * x + 2 * y], -1)
photo[20:40, 30:60] = [250, 10, 90]
photo[::7] = 255
photo = np.clip(photo + rng.integers(-30, 30, photo.shape), 0, 255).astype(np.uint8)
rgb = Image.fromarray(photo)
alpha = Image.fromarray(np.concatenate([photo, (x * 3 % 256).astype(np.uint8)[..., None]], -1))
exif = Image.Exif()

rgb.save(out / "photo.png")
alpha.save(out / "alpha.png")
rgb.convert("P", palette=Image.Palette.ADAPTIVE).save(out / "palette.png")
rgb.convert("P", palette=Image.Palette.ADAPTIVE).save(out / "gif.gif")
rgb.convert("L").save(out / "grey.png")
rgb.convert("LA").save(out / "grey-alpha.png")
rgb.convert("1").save(out / "bits.png")
rgb.save(out / "bmp.bmp")
rgb.save(out / "lossless.webp", lossless=True)
alpha.save(out / "lossless-alpha.webp", lossless=True)
rgb.save(out / "jpeg.jpg", quality=90)
rgb.save(out / "progressive.jpg", quality=90, progressive=True)
rgb.convert("L").save(out / "grey.jpg", quality=90)
for orientation in range(2, 9):
    exif[0x0112] = orientation
    rgb.crop((0, 0, 33, 21)).save(out / f"exif-{orientation}.jpg", quality=90, exif=exif)

for file in sorted(p for p in out.iterdir() if p.suffix not in (".rgb", "") ):
    image = ImageOps.exif_transpose(Image.open(file))
    if image.mode in ("RGBA", "LA"):
        image = image.convert("RGBA")
        white = Image.new("RGB", image.size, "white")
        white.paste(image, mask=image.getchannel("A"))
        image = white
    file.with_suffix(file.suffix + ".rgb").write_bytes(image.convert("RGB").tobytes())

for size in [(83, 20), (16, 61), (32, 32), (200, 150), (83, 62), (7, 3), (1, 1)]:
    (out / "resize" / f"{size[0]}x{size[1]}.rgb").write_bytes(rgb.resize(size, Image.BILINEAR).tobytes())
    (out / "bicubic" / f"{size[0]}x{size[1]}.rgb").write_bytes(rgb.resize(size, Image.BICUBIC).tobytes())
for short in [16, 61, 100]:
    image = Resize(short, InterpolationMode.BILINEAR)(rgb)
    (out / "resize" / f"short-{short}-{image.width}x{image.height}.rgb").write_bytes(image.tobytes())
