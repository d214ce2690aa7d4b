"""Golden scores for dev.distillery.diffusion.evaluate and CLIP features for dev.distillery.diffusion.clip.

  pip install torch==2.7.1 torchvision==0.22.1 transformers==4.55.4 safetensors==0.8.0 pillow==13.0.0
  pip install pytorch-fid==0.3.0 torch-fidelity==0.3.0 scipy==1.17.1
  python golden_evaluate.py ../../../../../../deploy/examples/mini-sdxl ../resources/dev/distillery/diffusion/golden

Reads image/photo.png of the golden folder, and the tokenizer of the model. Writes evaluate/ and clip-model/.
"""
import sys, warnings
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from pytorch_fid.fid_score import calculate_frechet_distance
from safetensors.torch import save_file
from torch_fidelity.metric_isc import isc_features_to_metric
from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel, CLIPTokenizer

warnings.simplefilter("ignore", DeprecationWarning)  # pytorch-fid calls sqrtm as scipy of its time had it
model, out = sys.argv[1], Path(sys.argv[2])
(out / "evaluate").mkdir(exist_ok=True)
rng = np.random.default_rng(0)
scores = {}

# --- Fréchet distance
D = 24
mix = rng.normal(size=(D, D))
features = lambda n: rng.normal(size=(n, D)) @ mix
half = np.arange(D) < D // 2
pairs = dict(full=(features(60), features(70) * 1.1 + 0.3),
             few=(features(9), features(11) * 1.1 + 0.3),  # fewer than features: both covariances are singular
             dead=(features(60) * half, features(70) * half + 1),  # half of the features are constant
             disjoint=(features(60) * half, features(70) * ~half),  # the covariances' product is zero
             constant=(np.ones((8, D)), np.zeros((8, D))),
             same=(features(50),) * 2)
for name, (a, b) in pairs.items():
    a, b = np.float32(a), np.float32(b)
    moments = lambda x: (np.mean(x, axis=0), np.cov(x, rowvar=False))
    value = calculate_frechet_distance(*moments(np.float64(a)), *moments(np.float64(b)))
    scores.update({f"fid.{name}.a": torch.tensor(a), f"fid.{name}.b": torch.tensor(b), f"fid.{name}": torch.tensor([value], dtype=torch.float64)})
    if name == "full":
        mu, sigma = moments(np.float64(a))
        np.savez_compressed(out / "evaluate/statistics.npz", mu=mu, sigma=sigma)

# --- Inception Score
logits = torch.tensor(np.float32(3 * rng.normal(size=(57, 11))))
scores["is.logits"] = logits
for splits in (1, 10):
    value = isc_features_to_metric(logits, splits=splits, shuffle=True, rng_seed=2020)
    scores[f"is.{splits}"] = torch.tensor([value["inception_score_mean"], value["inception_score_std"]], dtype=torch.float64)
scores["is.permutation"] = torch.tensor(np.random.RandomState(2020).permutation(1000))


# --- a stand-in for inception-2015-12-05.pt: it is called the same way, and as small as it can be
class Inception(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = torch.nn.Sequential(torch.nn.Conv2d(3, 16, 3, stride=2), torch.nn.BatchNorm2d(16), torch.nn.ReLU(), torch.nn.Dropout(0.5))
        self.output = torch.nn.Linear(16, 10)

    def forward(self, img, return_features: bool = False, use_fp16: bool = False, no_output_bias: bool = False):
        assert img.dtype == torch.uint8
        x = F.interpolate((img.to(torch.float32) - 128) / 128, size=(29, 29), mode="bilinear", align_corners=False)
        features = self.layers(x).mean(dim=[2, 3])
        if return_features:
            return features
        bias = torch.zeros_like(self.output.bias) if no_output_bias else self.output.bias
        return torch.softmax(F.linear(features, self.output.weight, bias), dim=1)


torch.manual_seed(0)
standin = Inception()
with torch.no_grad():
    standin.layers(torch.randn(64, 3, 29, 29))  # fills the running statistics
    standin.output.bias.normal_()
torch.jit.script(standin).save(out / "evaluate/standin.pt")  # in training mode: who loads it has to switch it
standin.eval()
photo = Image.open(out / "image/photo.png").convert("RGB")
pictures = [photo.resize((64, 64)).resize((32, 32)), photo.crop((0, 0, 40, 40)).resize((64, 64)).resize((32, 32))]  # Nota: 512, then 256
images = torch.stack([torch.tensor(np.asarray(p)).permute(2, 0, 1) for p in pictures])
with torch.no_grad():
    scores.update({"inception.bytes": images.int().contiguous(), "inception.features": standin(images, return_features=True),
                   "inception.probabilities": standin(images, no_output_bias=True)})
save_file(scores, out / "evaluate/scores.safetensors")

# --- CLIP, both towers, of both activations
photos = [photo, photo.crop((0, 0, 21, 30)), photo.crop((0, 0, 83, 9))]
captions = ["red heart, heart", "a photo of a cat", ""]
tokens = CLIPTokenizer.from_pretrained(model, subfolder="tokenizer")(captions, padding="max_length", truncation=True, return_tensors="pt")
for name, act in (("clip-quick", "quick_gelu"), ("clip-gelu", "gelu")):
    torch.manual_seed(0)
    sizes = dict(hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=2, hidden_act=act)
    clip = CLIPModel(CLIPConfig(text_config=dict(sizes, vocab_size=49408, hidden_size=4), vision_config=dict(sizes, image_size=32, patch_size=8),
                                projection_dim=12)).eval()
    with torch.no_grad():
        for parameter in clip.parameters():
            parameter.normal_(0, 0.3)  # so that every weight shows
    clip = clip.half().float()  # is saved in half precision
    processor = CLIPImageProcessor(size={"shortest_edge": 32}, crop_size=32)
    pixels = processor(photos, return_tensors="pt").pixel_values
    with torch.no_grad():
        x, y = clip.get_image_features(pixels), clip.get_text_features(**tokens)
    cosines = torch.nn.functional.cosine_similarity(x.double(), y.double())
    clip.half().save_pretrained(out / "clip-model" / name)
    processor.save_pretrained(out / "clip-model" / name)
    save_file(dict(pixels=pixels, image=x, text=y, score=cosines.mean()[None]), out / "clip-model" / (name + ".safetensors"))
