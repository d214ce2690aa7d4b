"""The peer: one block-removal distillation step on PyTorch + diffusers, with the arithmetic of diffengine's DistillSDXL; or, with
--lora, one step of diffusers' train_text_to_image_lora_sdxl.py, with peft, and of train_dreambooth_lora_sdxl.py with --text-encoders.

  pip install torch==2.7.1 diffusers==0.35.1 transformers==4.55.4 peft==0.21.2 safetensors==0.8.0

On a GPU where there is one. Prints seconds of each step, the first step's losses and peak memory (the GPU's, where it steps there) as one line of
JSON."""
import argparse, copy, json, resource, time
import torch, torch.nn.functional as F
from diffusers import DDPMScheduler, UNet2DConditionModel, __version__ as diffusers_version
from safetensors.torch import load_file

p = argparse.ArgumentParser()
p.add_argument("teacher"); p.add_argument("batch"); p.add_argument("--precision"); p.add_argument("--recompute", action="store_true")
p.add_argument("--encode", action="store_true"); p.add_argument("--lora", type=int, default=0); p.add_argument("--text-encoders", action="store_true"); p.add_argument("--optimizer"); p.add_argument("--steps", type=int); p.add_argument("--warmup", type=int); p.add_argument("--threads", type=int)
a = p.parse_args()
torch.set_num_threads(a.threads)
device = "cuda" if torch.cuda.is_available() else "cpu"


def small_of(teacher):
    """BK-SDM's block removal: each down block keeps its first pair, each up block its first and last."""
    unet = copy.deepcopy(teacher)
    unet.register_to_config(layers_per_block=1)
    for blocks, removed in ((unet.down_blocks, slice(1, None)), (unet.up_blocks, slice(1, 2))):
        for block in blocks:
            del block.resnets[removed]
            if getattr(block, "attentions", None) is not None:
                del block.attentions[removed]
    return unet


def watch(unet):
    features = {}
    for name, module in [(f"down{i}", b) for i, b in enumerate(unet.down_blocks)] + [("mid", unet.mid_block)] + [(f"up{i}", b) for i, b in enumerate(unet.up_blocks)]:
        module.register_forward_hook(lambda m, i, out, k=name: features.__setitem__(k, out[0] if isinstance(out, tuple) else out))
    return features


teacher = UNet2DConditionModel.from_pretrained(a.teacher, subfolder="unet", torch_dtype=torch.float32).eval().requires_grad_(False).to(device)
schedule = DDPMScheduler.from_pretrained(a.teacher, subfolder="scheduler")
if a.lora:
    from peft import LoraConfig
    student = teacher.to(torch.bfloat16 if a.precision == "bf16" else torch.float32)  # as the script casts what does not learn
    student.add_adapter(LoraConfig(r=a.lora, lora_alpha=a.lora, init_lora_weights="gaussian", target_modules=["to_k", "to_q", "to_v", "to_out.0"]))
    student.train()
    learning = [p for p in student.parameters() if p.requires_grad]
    for p in learning:
        p.data = p.data.float()
    if a.text_encoders:  # as with --train_text_encoder: each prompt is encoded once a step
        from transformers import CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer
        prompts = ["flask mascot, smiling flask", "food fruit, food"]
        ids = [CLIPTokenizer.from_pretrained(a.teacher, subfolder=folder)(prompts, padding="max_length", max_length=77, return_tensors="pt").input_ids.to(device)
               for folder in ("tokenizer", "tokenizer_2")]
        text_encoders = [cls.from_pretrained(a.teacher, subfolder=folder, torch_dtype=teacher.dtype).requires_grad_(False).to(device)
                         for cls, folder in ((CLIPTextModel, "text_encoder"), (CLIPTextModelWithProjection, "text_encoder_2"))]
        for encoder in text_encoders:
            encoder.add_adapter(LoraConfig(r=a.lora, lora_alpha=a.lora, init_lora_weights="gaussian", target_modules=["q_proj", "k_proj", "v_proj", "out_proj"]))
            adapters = [p for p in encoder.parameters() if p.requires_grad]
            for p in adapters:
                p.data = p.data.float()
            learning += adapters
else:
    student = small_of(teacher).train().requires_grad_(True)
    learning = list(student.parameters())
    taught, learnt = watch(teacher), watch(student)
if a.recompute:
    student.enable_gradient_checkpointing()
b = load_file(a.batch, device=device)
optimizer = torch.optim.AdamW(learning, lr=1e-5, weight_decay=1e-2)
added = dict(added_cond_kwargs=dict(text_embeds=b["text_embeds"], time_ids=b["time_ids"])) if "text_embeds" in b else {}
if a.encode:  # as diffengine does by default; the step then uses the batch's own latents, so that its losses can be compared
    from diffusers import AutoencoderKL
    from transformers import CLIPTextModel, CLIPTextModelWithProjection
    vae = AutoencoderKL.from_pretrained(a.teacher, subfolder="vae", torch_dtype=torch.float32).eval().to(device)
    encoders = [CLIPTextModel.from_pretrained(a.teacher, subfolder="text_encoder", torch_dtype=torch.float32).eval().to(device),
                CLIPTextModelWithProjection.from_pretrained(a.teacher, subfolder="text_encoder_2", torch_dtype=torch.float32).eval().to(device)]
seconds, first = [], None
for step in range(a.warmup + a.steps):
    started = time.perf_counter()
    if a.encode:
        with torch.no_grad(), torch.autocast(device, dtype=torch.bfloat16, enabled=a.precision == "bf16"):
            vae.encode(b["pixels"]).latent_dist.sample()
            hidden = [encoder(b["input_ids"], output_hidden_states=True) for encoder in encoders]
            torch.cat([h.hidden_states[-2] for h in hidden], -1)
    noisy = schedule.add_noise(b["latents"], b["noise"], b["timesteps"])
    with torch.autocast(device, dtype=torch.bfloat16, enabled=a.precision == "bf16"):
        if a.text_encoders:
            hidden = [encoder(i, output_hidden_states=True) for encoder, i in zip(text_encoders, ids)]
            half = [len(noisy) // 2, len(noisy) - len(noisy) // 2]
            repeat = lambda two: torch.cat([two[i : i + 1].expand(half[i], *two.shape[1:]) for i in (0, 1)])
            b["prompt_embeds"] = repeat(torch.cat([h.hidden_states[-2] for h in hidden], -1))
            added["added_cond_kwargs"]["text_embeds"] = repeat(hidden[1][0])
        predicted = student(noisy, b["timesteps"], b["prompt_embeds"], **added).sample
        if not a.lora:
            with torch.no_grad():
                target = teacher(noisy, b["timesteps"], b["prompt_embeds"], **added).sample
    losses = [F.mse_loss(predicted.float(), b["noise"])]
    if not a.lora:
        losses += [F.mse_loss(predicted.float(), target.float()), sum(F.mse_loss(taught[k].float(), learnt[k].float()) for k in taught)]
    sum(losses).backward()
    torch.nn.utils.clip_grad_norm_(learning, 1.0)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    first = first or [loss.item() for loss in losses] + [0.0] * (3 - len(losses))
    if device == "cuda":
        torch.cuda.synchronize()
    if step >= a.warmup:
        seconds.append(time.perf_counter() - started)
if device == "cuda":  # what the allocator has taken, it keeps
    free, total = torch.cuda.mem_get_info()
    peak, where = total - free, torch.cuda.get_device_name()
else:
    peak, where = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, f"{torch.get_num_threads()} threads"
print(json.dumps(dict(seconds=seconds, losses=first, peakBytes=peak, about=f"PyTorch {torch.__version__}, diffusers {diffusers_version}, {where}")))
