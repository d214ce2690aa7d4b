"""Golden tensors of LoRA in a U-Net, from the real peft and diffusers.

  pip install torch==2.7.1 diffusers==0.35.1 transformers==4.55.4 peft==0.21.2 safetensors==0.8.0
  python golden_lora.py ../resources/dev/distillery/diffusion/golden

Writes to unet-FAMILY/ of golden_unet.py, for SDXL and SD1: lora/pytorch_lora_weights.safetensors as save_lora_weights saves adapters
of rank 2 and alpha 3 (SDXL: the attention projections; SD1: the feed-forward and to_q), lora/kohya.safetensors as
convert_state_dict_to_kohya names them, and lora/step.safetensors: prediction, task loss and the gradients of every A and B (fp32 on the CPU).
"""
import os, sys
import torch, torch.nn.functional as F
from diffusers import DDPMScheduler, StableDiffusionPipeline, StableDiffusionXLPipeline, UNet2DConditionModel
from diffusers.training_utils import _collate_lora_metadata
from diffusers.utils import convert_all_state_dict_to_peft, convert_state_dict_to_diffusers, convert_state_dict_to_kohya
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict
from safetensors.torch import load_file, save_file

TARGETS = dict(sdxl=["to_k", "to_q", "to_v", "to_out.0"], sd1=["to_q", "ff.net.0.proj", "ff.net.2"])
PIPELINES = dict(sdxl=StableDiffusionXLPipeline, sd1=StableDiffusionPipeline)

for family, targets in TARGETS.items():
    to = f"{sys.argv[1]}/unet-{family}"
    os.makedirs(to + "/lora", exist_ok=True)
    unet = UNet2DConditionModel.from_pretrained(to + "/unet")
    unet.requires_grad_(False)
    torch.manual_seed(5)
    unet.add_adapter(LoraConfig(r=2, lora_alpha=3, init_lora_weights="gaussian", target_modules=targets))
    learning = {k: p for k, p in unet.named_parameters() if p.requires_grad}
    with torch.no_grad():
        for p in learning.values():
            p.add_(torch.randn_like(p) * 0.1)
    layers = convert_state_dict_to_diffusers(get_peft_model_state_dict(unet))
    metadata = _collate_lora_metadata({"unet": unet})
    PIPELINES[family].save_lora_weights(to + "/lora", unet_lora_layers=layers, **metadata)
    saved = load_file(to + "/lora/pytorch_lora_weights.safetensors")
    save_file({k: v.clone() for k, v in convert_state_dict_to_kohya(convert_all_state_dict_to_peft(saved)).items()}, to + "/lora/kohya.safetensors")
    b = load_file(to + "/batch.safetensors")
    kw = dict(added_cond_kwargs=dict(text_embeds=b["text_embeds"], time_ids=b["time_ids"])) if family == "sdxl" else {}
    sched = DDPMScheduler.from_pretrained(to + "/scheduler")
    noisy = sched.add_noise(b["latents"], b["noise"], b["timesteps"])
    prediction = unet(noisy, b["timesteps"], b["prompt_embeds"], **kw).sample
    loss = F.mse_loss(prediction, b["noise"])
    loss.backward()
    out = dict(prediction=prediction.detach(), task=loss.detach())
    for k, p in learning.items():
        out["grad." + k.replace(".default", "")] = p.grad
    save_file({k: v.contiguous() for k, v in out.items()}, to + "/lora/step.safetensors")
