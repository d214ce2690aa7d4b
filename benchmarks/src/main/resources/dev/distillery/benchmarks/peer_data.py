"""The peer of data-ingest and latent-encoding: what is usual in Python.

  pip install torch==2.7.1 torchvision==0.22.1 diffusers==0.35.1 transformers==4.55.4 safetensors pyarrow pillow

ingest: decodes images, RGB on white, bilinear resize, random crop, flip, to tensor.
encode: the same by torch's DataLoader, a process ahead of the networks; then the posterior of the auto-encoder and both text encoders, as diffengine
computes them in each step.

Prints images a second and peak memory as one line of JSON."""
import argparse, glob, io, json, resource, time
import pyarrow.parquet as pq, torch
from PIL import Image
from torchvision import transforms as T


def rows(folder, repeat=1):
    for _ in range(repeat):
        for f in sorted(glob.glob(folder + "/**/*.parquet", recursive=True)):
            for batch in pq.ParquetFile(f).iter_batches(batch_size=100, columns=["image", "text"]):
                for r in batch.to_pylist():
                    yield r["image"]["bytes"], r["text"]


def rgb(data):
    im = Image.open(io.BytesIO(data)).convert("RGBA")
    white = Image.new("RGBA", im.size, (255, 255, 255, 255))
    white.alpha_composite(im)
    return white.convert("RGB")


class Prepared(torch.utils.data.Dataset):
    def __init__(self, items, prepare):
        self.items, self.prepare = items, prepare

    def __len__(self):
        return len(self.items)

    def __getitem__(self, i):
        data, caption = self.items[i]
        return self.prepare(rgb(data)), caption


def main():
    p = argparse.ArgumentParser(); p.add_argument("verb", choices=["ingest", "encode"]); p.add_argument("data"); p.add_argument("teacher", nargs="?")
    p.add_argument("--resolution", type=int, default=1024); p.add_argument("--repeat", type=int, default=1); p.add_argument("--batch", type=int, default=16)
    p.add_argument("--limit", type=int, default=512); p.add_argument("--dtype", default="fp32"); a = p.parse_args()
    prepare = T.Compose([T.Resize(a.resolution), T.RandomCrop(a.resolution), T.RandomHorizontalFlip(), T.ToTensor(), T.Normalize([0.5], [0.5])])
    n = 0
    if a.verb == "ingest":
        t = time.perf_counter()
        for data, text in rows(a.data, a.repeat):
            prepare(rgb(data)); n += 1
        seconds = time.perf_counter() - t
    else:
        from diffusers import AutoencoderKL
        from transformers import CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer
        vae = AutoencoderKL.from_pretrained(a.teacher, subfolder="vae", torch_dtype=torch.float32).eval()
        tok = [CLIPTokenizer.from_pretrained(a.teacher, subfolder=s) for s in ("tokenizer", "tokenizer_2")]
        enc = [CLIPTextModel.from_pretrained(a.teacher, subfolder="text_encoder", torch_dtype=torch.float32).eval(),
               CLIPTextModelWithProjection.from_pretrained(a.teacher, subfolder="text_encoder_2", torch_dtype=torch.float32).eval()]
        items = [row for row, _ in zip(rows(a.data, 1 + a.limit // 1900), range(a.limit))]
        t = time.perf_counter()
        batches = torch.utils.data.DataLoader(Prepared(items, prepare), batch_size=a.batch, num_workers=1)
        with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16, enabled=a.dtype == "bf16"):
            for pixels, captions in batches:
                vae.encode(pixels).latent_dist.sample()
                hidden = [e(k(list(captions), padding="max_length", max_length=77, truncation=True, return_tensors="pt").input_ids,
                            output_hidden_states=True) for k, e in zip(tok, enc)]
                torch.cat([h.hidden_states[-2] for h in hidden], -1); n += len(captions)
        seconds = time.perf_counter() - t
    print(json.dumps(dict(peer="python", verb=a.verb, resolution=a.resolution, images=n, images_per_second=n / seconds, threads=torch.get_num_threads(),
                          peak_rss_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)))


if __name__ == "__main__":
    main()
