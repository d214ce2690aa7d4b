"""Loads what the converter wrote with the real diffusers, and tells what is not as it should be.

  pip install torch==2.7.1 diffusers==0.35.1 transformers==4.55.4 peft==0.21.2 safetensors==0.8.0
  DISTILLERY_PYTHON=python mvn test -pl services/converter -Dtest=DiffusersTest

DiffusersTest makes the folders. unets/NAME/ holds fp32/unet, the same weights as fp16/unet in shards with a variant, and
batch.safetensors with what the Java U-Net predicts. pipelines/NAME/ holds folders whose variant, if any, is their name. loras/NAME/ holds a LoRA by diffusers' and by kohya's keys and what it was merged into.
Prints a line of JSON for each: its name and a list of complaints.
"""
import json, logging, os, sys, tempfile, warnings
from pathlib import Path
import torch
from diffusers import DiffusionPipeline, UNet2DConditionModel
from diffusers.utils import logging as diffusers_logging
from safetensors.torch import load_file
from transformers.utils import logging as transformers_logging

SAID = []


class Listener(logging.Handler):
    def emit(self, record):
        SAID.append(record.getMessage())


def listen():
    for library in (diffusers_logging, transformers_logging):
        library.set_verbosity_warning()
        library.disable_progress_bar()
        library.add_handler(Listener())
    warnings.showwarning = lambda message, *args, **kwargs: SAID.append(str(message))
    warnings.simplefilter("always")


def load_unet(folder, **kwargs):
    unet, info = UNet2DConditionModel.from_pretrained(folder, subfolder="unet", output_loading_info=True, low_cpu_mem_usage=False, **kwargs)
    SAID.extend(f"{kind}: {keys}" for kind, keys in info.items() if keys)
    return unet.eval()


def config_of(folder):
    config = json.loads(Path(folder, "config.json").read_text())
    config.pop("_name_or_path", None)  # where diffusers loaded it from
    return config


def check_unet(folder):
    unet = load_unet(f"{folder}/fp32")
    b = load_file(f"{folder}/batch.safetensors")
    kw = dict(added_cond_kwargs=dict(text_embeds=b["text_embeds"], time_ids=b["time_ids"])) if "time_ids" in b else {}
    with torch.no_grad():
        expected = unet(b["latents"], b["timesteps"], b["prompt_embeds"], **kw).sample
    error = ((b["prediction"] - expected).abs().max() / expected.std()).item()
    if not error < 1e-4:
        SAID.append(f"the predictions differ by {error} of their standard deviation")
    sharded = load_unet(f"{folder}/fp16", variant="fp16", torch_dtype=torch.float16)
    if any(not torch.equal(p.half(), q) for p, q in zip(unet.state_dict().values(), sharded.state_dict().values())):
        SAID.append("fp16 holds other numbers")
    with tempfile.TemporaryDirectory() as own:
        unet.save_pretrained(f"{own}/fp32")
        unet.half().save_pretrained(f"{own}/fp16", variant="fp16", max_shard_size="100KB")
        for kind in ("fp32", "fp16"):
            compare(f"{folder}/{kind}/unet", f"{own}/{kind}")


def compare(ours, theirs):
    """Byte for byte, but the numbers of config.json are written in other ways (1e-05, 1.0E-5)."""
    if sorted(os.listdir(ours)) != sorted(os.listdir(theirs)):
        SAID.append(f"{os.listdir(ours)} should be {os.listdir(theirs)}")
        return
    if config_of(ours) != config_of(theirs):
        SAID.append(f"config.json: {config_of(ours).items() ^ config_of(theirs).items()}")
    for name in os.listdir(theirs):
        if name != "config.json" and Path(ours, name).read_bytes() != Path(theirs, name).read_bytes():
            SAID.append(f"{name} is not the file that diffusers writes")


def check_pipeline(folder):
    for kind in os.listdir(folder):
        half = kind == "fp16"
        kw = dict(variant="fp16", torch_dtype=torch.float16) if half else {}
        pipe = DiffusionPipeline.from_pretrained(f"{folder}/{kind}", low_cpu_mem_usage=False, **kw)
        index = json.loads(Path(folder, kind, "model_index.json").read_text())
        for name, part in pipe.components.items():
            if isinstance(part, torch.nn.Module):
                wrong = [f for f in os.listdir(f"{folder}/{kind}/{name}") if "safetensors" in f and half != ("fp16" in f)]
                if wrong or part.dtype != (torch.float16 if half else torch.float32):
                    SAID.append(f"{kind}/{name}: {part.dtype}, {wrong}")
            if (part is None) != (index[name] == [None, None]):
                SAID.append(f"{kind}: {name} is {part} but in the index {index[name]}")
        if pipe.scheduler.config.prediction_type != ("v_prediction" if "velocity" in folder else "epsilon"):
            SAID.append(f"{kind}: trained for {pipe.scheduler.config.prediction_type}")
        if not half:
            complaints = list(SAID)
            pipe.set_progress_bar_config(disable=True)
            pipe("a red heart", height=64, width=64, num_inference_steps=1, output_type="np")
            SAID[:] = complaints  # what NumPy says while it draws is not about the folder


def check_lora(folder):
    b = load_file(f"{folder}/batch.safetensors")
    for file in ("pytorch_lora_weights.safetensors", "made-lora.safetensors"):
        pipe = DiffusionPipeline.from_pretrained("../../deploy/examples/mini-sdxl", torch_dtype=torch.float32, low_cpu_mem_usage=False)
        pipe.load_lora_weights(folder, weight_name=file)
        SAID[:] = [said for said in SAID if not said.startswith("No LoRA keys associated to CLIPText")]  # it has none, for sure
        with torch.no_grad():
            got = pipe.unet(b["latents"], b["timesteps"], b["prompt_embeds"],
                            added_cond_kwargs=dict(text_embeds=b["text_embeds"], time_ids=b["time_ids"])).sample
        require_close(file, "prediction", got, b["prediction"])
        if os.path.exists(f"{folder}/prompt.safetensors"):  # text encoders have one, too
            encoded = load_file(f"{folder}/prompt.safetensors")
            with torch.no_grad():
                embeds, _, pooled, _ = pipe.encode_prompt("red apple, food fruit", device="cpu", do_classifier_free_guidance=False)
            require_close(file, "prompt_embeds", embeds, encoded["prompt_embeds"])
            require_close(file, "text_embeds", pooled, encoded["text_embeds"])


def require_close(file, what, got, merged):
    error = ((got - merged).abs().max() / merged.std()).item()
    if not error < 1e-4:
        SAID.append(f"{file}: {what} differs from the merged network's by {error} of its standard deviation")


def main(work):
    listen()
    for kind, check in (("unets", check_unet), ("pipelines", check_pipeline), ("loras", check_lora)):
        for name in sorted(os.listdir(f"{work}/{kind}")):
            SAID.clear()
            try:
                check(f"{work}/{kind}/{name}")
            except Exception as e:  # told as a complaint, and the next one is looked at
                SAID.append(f"{type(e).__name__}: {e}")
            print(json.dumps(dict(name=name, complaints=SAID)), flush=True)


main(sys.argv[1])
