"""Golden tensors of a LoRA in U-Net and text encoders, from the real peft, transformers and diffusers.

  pip install torch==2.7.1 diffusers==0.35.1 transformers==4.55.4 peft==0.21.2 safetensors==0.8.0
  python golden_lora_text.py ../../../../../../deploy/examples/mini-sdxl ../resources/dev/distillery/diffusion/golden

Writes to lora-text/, of the example's SDXL: pytorch_lora_weights.safetensors as save_lora_weights saves adapters of rank 2 and alpha 3
(U-Net: to_q and to_v; text encoders: the projections of their attention), kohya.safetensors as convert_state_dict_to_kohya names them,
and step.safetensors: a batch whose samples have prompts 1, 2, 0 and 1 of "", "red apple, food fruit" and "yellow heart, heart", the
prompts' embeddings, prediction, task loss and the gradients of every A and B (fp32 on the CPU).
"""
import os, sys
import torch, torch.nn.functional as F
from diffusers import DDPMScheduler, StableDiffusionXLPipeline
from diffusers.training_utils import _collate_lora_metadata
from diffusers.utils import convert_state_dict_to_diffusers, convert_state_dict_to_kohya
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict
from safetensors.torch import save_file

PROMPTS = ["", "red apple, food fruit", "yellow heart, heart"]
OF_SAMPLES = [1, 2, 0, 1]

pipe = StableDiffusionXLPipeline.from_pretrained(sys.argv[1], torch_dtype=torch.float32)
to = sys.argv[2] + "/lora-text"
os.makedirs(to, exist_ok=True)
models = dict(unet=pipe.unet, text_encoder=pipe.text_encoder, text_encoder_2=pipe.text_encoder_2)
torch.manual_seed(6)
learning = {}
for name, model in models.items():
    model.requires_grad_(False)
    targets = ["to_q", "to_v"] if name == "unet" else ["q_proj", "k_proj", "v_proj", "out_proj"]
    model.add_adapter(LoraConfig(r=2, lora_alpha=3, init_lora_weights="gaussian", target_modules=targets))
    for k, p in model.named_parameters():
        if p.requires_grad:
            learning[f"{name}." + k.replace(".default", "")] = p
with torch.no_grad():
    for p in learning.values():
        p.add_(torch.randn_like(p) * 0.1)

adapters = {name: get_peft_model_state_dict(model) for name, model in models.items()}
layers = {name: convert_state_dict_to_diffusers(adapter) for name, adapter in adapters.items()}
StableDiffusionXLPipeline.save_lora_weights(
    to, unet_lora_layers=layers["unet"], text_encoder_lora_layers=layers["text_encoder"],
    text_encoder_2_lora_layers=layers["text_encoder_2"], **_collate_lora_metadata(models))
by_peft = {f"{name}.{k}": v for name, adapter in adapters.items() for k, v in adapter.items()}
save_file({k: v.clone() for k, v in convert_state_dict_to_kohya(by_peft).items()}, to + "/kohya.safetensors")

embeds, _, pooled, _ = pipe.encode_prompt(PROMPTS, device="cpu", do_classifier_free_guidance=False)
n = len(OF_SAMPLES)
g = torch.Generator().manual_seed(7)
b = dict(latents=torch.randn(n, 4, 16, 16, generator=g), noise=torch.randn(n, 4, 16, 16, generator=g),
         timesteps=torch.tensor([20, 400, 700, 950]), time_ids=torch.tensor([[64., 64, 0, 0, 64, 64]] * n))
noisy = DDPMScheduler.from_config(pipe.scheduler.config).add_noise(b["latents"], b["noise"], b["timesteps"])
prediction = pipe.unet(noisy, b["timesteps"], embeds[OF_SAMPLES], added_cond_kwargs=dict(text_embeds=pooled[OF_SAMPLES], time_ids=b["time_ids"])).sample
loss = F.mse_loss(prediction, b["noise"])
loss.backward()
out = dict(b, embeds=embeds.detach(), pooled=pooled.detach(), prediction=prediction.detach(), task=loss.detach())
for k, p in learning.items():
    out["grad." + k] = torch.zeros_like(p) if p.grad is None else p.grad  # the first encoder's last layer is not seen by SDXL
save_file({k: v.contiguous() for k, v in out.items()}, to + "/step.safetensors")
