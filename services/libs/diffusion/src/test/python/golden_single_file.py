"""Golden values of singlefile/SingleFileTest: what ComfyUI and diffusers make of our single files.

  pip install torch==2.7.1 diffusers==0.35.1 transformers==4.55.4 safetensors einops psutil scipy torchsde sentencepiece aiohttp pyyaml av
  python golden_single_file.py COMFYUI_CHECKOUT MODULE      MODULE: services/libs/diffusion, after a run of SingleFileTest

The test leaves in target/single-file the keys and shapes of every layout and the example as one file. Here ComfyUI (a125cd84,
2025-10-11) names every layout's keys and says which model it is; diffusers loads the file, every tensor of which has to be that of
the folder. Then names and digests are written to src/test/resources."""
import glob, hashlib, json, os, sys

comfyui, module = sys.argv[1:3]
sys.argv = sys.argv[:1]
sys.path.insert(0, comfyui)
import comfy.cli_args
comfy.cli_args.args.cpu = True
import comfy.model_detection, comfy.utils
import torch
from diffusers import StableDiffusionXLPipeline
from safetensors import safe_open

PREFIX = "model.diffusion_model."
made = os.path.join(module, "target/single-file")
golden = {"unets": {}}
for file in sorted(glob.glob(made + "/*.json")):
    tensors = json.load(open(file))  # diffusers key -> [original key, shape]
    state = {name: torch.empty(shape, device="meta") for name, shape in tensors.values()}
    try:
        model = comfy.model_detection.model_config_from_unet(state, PREFIX)
    except Exception:
        model = None
    names = comfy.utils.unet_to_diffusers(comfy.model_detection.detect_unet_config(state, PREFIX))
    lines = "".join(f"{key} {PREFIX}{names[key]}\n" for key in sorted(tensors))
    golden["unets"][os.path.basename(file)[:-5]] = {"comfyUi": type(model).__name__ if model else None,
                                                  "sha256": hashlib.sha256(lines.encode()).hexdigest()}

file = made + "/mini-sdxl.safetensors"
folder = os.path.join(module, "../../../deploy/examples/mini-sdxl")
one = StableDiffusionXLPipeline.from_single_file(file, config=folder, local_files_only=True)
whole = StableDiffusionXLPipeline.from_pretrained(folder)
for name in ("unet", "vae", "text_encoder", "text_encoder_2"):
    ours, theirs = getattr(one, name).state_dict(), getattr(whole, name).state_dict()
    assert ours.keys() == theirs.keys(), (name, ours.keys() ^ theirs.keys())
    different = [key for key in ours if not torch.equal(ours[key].float(), theirs[key].float())]
    assert not different, (name, different)
digest = hashlib.sha256()
with safe_open(file, "pt") as tensors:
    for name in sorted(tensors.keys()):
        tensor = tensors.get_tensor(name)
        digest.update(f"{name} {list(tensor.shape)}\n".encode())
        digest.update(tensor.contiguous().view(torch.uint8).numpy().tobytes())
    golden["mini-sdxl"] = {"tensors": len(tensors.keys()), "sha256": digest.hexdigest()}
out = os.path.join(module, "src/test/resources/dev/distillery/diffusion/golden/single-file.json")
with open(out, "w") as f:
    json.dump(golden, f, indent=1)
    f.write("\n")
print(json.dumps(golden, indent=1))
