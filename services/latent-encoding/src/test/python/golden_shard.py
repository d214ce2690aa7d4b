"""A shard and what Python makes of it, with Pillow 13.0.0, torchvision 0.22.1, torch 2.7.1, diffusers 0.35.1, transformers 4.55.4.

    python golden_shard.py ../../../../../deploy/examples ../resources/dev/distillery/latentencoding/golden

shard.tar: four pairs in data-ingest's layout, numbered from 7; emoji with transparency, a tall and a wide picture; two share a caption.
expected.safetensors: a 64 x 64 cut of the centre of each, through the auto-encoder and both text encoders of mini-sdxl, in float32;
the first prompt is the empty one, that of captions dropped in training.
"""

import io
import sys
import tarfile
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import torch
from diffusers import AutoencoderKL
from PIL import Image
from safetensors.torch import save_file
from torchvision import transforms as T
from transformers import CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

SIDE, FIRST = 64, 7
examples, out = Path(sys.argv[1]), Path(sys.argv[2])
teacher = examples / "mini-sdxl"
torch.set_grad_enabled(False)


def picture(width, height, seed):
    """Smooth colours, a hard edge and noise."""
    y, x = np.mgrid[0:height, 0:width]
    pixels = np.stack([2 * x, 255 - y, x + y], -1)
    pixels[height // 3 : height // 2, width // 4 :] = [250, 10, 90]
    pixels = pixels + np.random.default_rng(seed).integers(-20, 20, pixels.shape)
    file = io.BytesIO()
    Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(file, "PNG")
    return file.getvalue()


emoji = pq.read_table(examples / "noto-emoji/data/train-00000-of-00004.parquet").slice(0, 2).to_pylist()
pairs = [(e["image"]["bytes"], e["text"]) for e in emoji]
pairs.append((picture(83, 140, 1), "A café 🎈, painted in oil"))
pairs.append((picture(231, 97, 2), emoji[0]["text"]))

with tarfile.open(out / "shard.tar", "w", format=tarfile.USTAR_FORMAT) as tar:
    for i, (image, caption) in enumerate(pairs, FIRST):
        for name, content in [(f"{i:06d}.png", image), (f"{i:06d}.txt", caption.encode())]:
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))


def decode(data):
    image = Image.open(io.BytesIO(data)).convert("RGBA")
    white = Image.new("RGBA", image.size, "white")
    white.alpha_composite(image)
    return white.convert("RGB")


to_tensor = T.Compose([T.ToTensor(), T.Normalize([0.5], [0.5])])
pixels, time_ids = [], []
for data, _ in pairs:
    image = decode(data)
    resized = T.Resize(SIDE)(image)  # bilinear with antialiasing, as Pillow does it
    # diffusers v0.35.1, examples/text_to_image/train_text_to_image_sdxl.py, preprocess_train without random_flip
    top = max(0, int(round((resized.height - SIDE) / 2.0)))
    left = max(0, int(round((resized.width - SIDE) / 2.0)))
    pixels.append(to_tensor(T.CenterCrop(SIDE)(resized)))
    time_ids.append([[image.height, image.width, top, left, SIDE, SIDE]])

vae = AutoencoderKL.from_pretrained(teacher, subfolder="vae", torch_dtype=torch.float32).eval()
posterior = vae.encode(torch.stack(pixels)).latent_dist

captions = list(dict.fromkeys(["", *(caption for _, caption in pairs)]))
hidden = []
for model, suffix in [(CLIPTextModel, ""), (CLIPTextModelWithProjection, "_2")]:
    tokenizer = CLIPTokenizer.from_pretrained(teacher, subfolder="tokenizer" + suffix)
    encoder = model.from_pretrained(teacher, subfolder="text_encoder" + suffix, torch_dtype=torch.float32).eval()
    ids = tokenizer(captions, padding="max_length", max_length=77, truncation=True, return_tensors="pt").input_ids
    encoded = encoder(ids, output_hidden_states=True)
    hidden.append(encoded.hidden_states[-2])

save_file(
    {
        "mean": posterior.mean.unsqueeze(1).contiguous(),
        "std": posterior.std.unsqueeze(1).contiguous(),
        "time_ids": torch.tensor(time_ids, dtype=torch.float32),
        "prompt_embeds": torch.cat(hidden, -1),
        "pooled": encoded.text_embeds,
        "caption_index": torch.tensor([captions.index(caption) for _, caption in pairs]),
    },
    out / "expected.safetensors",
)
