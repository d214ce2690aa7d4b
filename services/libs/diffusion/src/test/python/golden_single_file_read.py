"""Golden values of singlefile/SingleFileFolderTest: what diffusers makes of single files.

  pip install torch==2.7.1 diffusers==0.35.1 transformers==4.55.4 safetensors
  python golden_single_file_read.py MODULE      MODULE: services/libs/diffusion, after a run of SingleFileFolderTest

The test leaves in target/single-file/read the keys and shapes of a whole model of each family as a single file, and the
configurations that it tells from them. Here diffusers' own converters take the same keys, on the meta device, and its networks are
made by those configurations: both must have the same parameters. Their names and shapes are digested into src/test/resources.
Then small pipelines of SD v1 and v2 that the test has written as folder and as file are read by from_single_file: the very same."""
import glob, hashlib, json, os, sys

import torch
from diffusers import AutoencoderKL, StableDiffusionPipeline, UNet2DConditionModel
from diffusers.loaders import single_file_utils as single
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

module = sys.argv[1]
made = os.path.join(module, "target/single-file/read")
TYPES = {"sdxl": "xl_base", "sd2": "v2", "sd1": "v1"}
golden = {}
for family, kind in TYPES.items():
    shapes = json.load(open(f"{made}/{family}.json"))
    state = {name: torch.empty(shape, device="meta") for name, shape in shapes.items()}
    assert single.infer_diffusers_model_type(state) == kind, (family, single.infer_diffusers_model_type(state))
    config = lambda part: json.load(open(f"{made}/{family}/{part}/config.json"))
    components = {}
    with torch.device("meta"):
        components["unet"] = (UNet2DConditionModel.from_config(config("unet")),
                              single.convert_ldm_unet_checkpoint(dict(state), config("unet")))
        components["vae"] = (AutoencoderKL.from_config(config("vae")),
                             single.convert_ldm_vae_checkpoint(dict(state), config("vae")))
        text = CLIPTextModel(CLIPTextConfig(**config("text_encoder")))
        converted = (single.convert_open_clip_checkpoint(text, dict(state), prefix="cond_stage_model.model.")
                     if family == "sd2" else single.convert_ldm_clip_checkpoint(dict(state)))
        components["text_encoder"] = (text, converted)
        if family == "sdxl":
            text = CLIPTextModelWithProjection(CLIPTextConfig(**config("text_encoder_2")))
            components["text_encoder_2"] = (text, single.convert_open_clip_checkpoint(
                text, dict(state), prefix="conditioner.embedders.1.model."))
    golden[family] = {}
    for name, (network, converted) in components.items():
        converted.pop("text_model.embeddings.position_ids", None)  # no parameter, and no longer a buffer that is saved
        theirs = {key: list(tensor.shape) for key, tensor in converted.items()}
        built = {key: list(tensor.shape) for key, tensor in network.state_dict().items()}
        assert theirs == built, (family, name, theirs.keys() ^ built.keys())
        lines = sorted(f"{key} [{','.join(map(str, shape))}]" for key, shape in theirs.items())
        golden[family][name] = {"tensors": len(lines), "sha256": hashlib.sha256(("\n".join(lines) + "\n").encode()).hexdigest()}

for family in ("sd1", "sd2"):
    small = f"{made}/small-{family}"
    one = StableDiffusionPipeline.from_single_file(small + "/x.safetensors", config=small + "/read", local_files_only=True)
    for name in ("unet", "vae", "text_encoder"):
        network = type(getattr(one, name)).from_pretrained(small + "/folder", subfolder=name)
        ours, theirs = getattr(one, name).state_dict(), network.state_dict()
        assert ours.keys() == theirs.keys(), (family, name)
        assert all(torch.equal(ours[key].float(), theirs[key].float()) for key in ours), (family, name)
out = os.path.join(module, "src/test/resources/dev/distillery/diffusion/golden/single-file-read.json")
with open(out, "w") as f:
    json.dump(golden, f, indent=1)
    f.write("\n")
print(json.dumps(golden, indent=1))
