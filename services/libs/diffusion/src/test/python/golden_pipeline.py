"""Golden tensors of tokenizer, text encoders, auto-encoder, schedulers and the whole sampling loop, from the real libraries.

  pip install torch==2.7.1 diffusers==0.35.1 transformers==4.55.4 safetensors==0.8.0      (and no ftfy)
  python golden_pipeline.py ../../../../../../deploy/examples/mini-sdxl ../resources/dev/distillery/diffusion/golden

The weights are those of the mini SDXL that the repository ships, in float32; SD v1's pipeline is made of its first text
encoder, its auto-encoder and a small U-Net. Writes pipeline/*.safetensors, pipeline/prompts.json, pipeline/sd1/ and
pipeline/sd1-pndm/.
"""
import json, os, random, sys
import torch
from diffusers import (AutoencoderKL, DDIMScheduler, DDPMScheduler, EulerDiscreteScheduler, PNDMScheduler, StableDiffusionPipeline,
                       StableDiffusionXLPipeline, UNet2DConditionModel)
from safetensors.torch import save_file
from transformers import CLIPTokenizer

HAND = ["", " ", "a photo of a cat", "A PHOTO   of\ta\ncat", "naïve café, Ünïcödé", "e\u0301te\u0301 (decomposed)", "İstanbul ǅ ß ﬁ", "Ωμέγα ΣΊΣΥΦΟΣ",
        "猫が好きです", "한국어 문장", "中文字符混合english", "ไทย", "हिन्दी", "עברית", "العربية", "😀", "👨‍👩‍👧‍👦 family", "🇪🇬 flag", "👍🏽", "❤️ heart", "☕️",
        "don't you'll I'm we've they'd it's", "12345 3.14 1,000", "1st 2nd ①②", "<|startoftext|> hi", "a <|endoftext|> b", "<|endoftext|>",
        "hello,world!!!...", "a-b_c/d\\e", "@user #tag $5 50% & *", "\u200bzero\u200bwidth", "nul\x00char", "tab\x07bell", "\ufeffbom", "\u00a0nbsp\u2003em", "\ufffdreplacement",
        "word " * 100, "supercalifragilisticexpialidocious" * 5, "!" * 200, "😀" * 80, "\U0001f9ff\U0001fae8 new", "wow! amazing!", "hi!there ! !", "!<|endoftext|>!", "‘quotes’ “double” — dash…", "ﷺ", "Å Å", "½ ⅓ x²",
        "  leading and trailing  ", "CamelCaseWords", "a" * 500, "\r\nline\r\nbreaks", "soft\u00adhyphen", "\ue000private", "𝒜𝓃 𝕖𝕩𝕒𝕞𝕡𝕝𝕖", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "grinning face, face smiling"]


def odd_strings(count):
    """Of characters that Unicode 13 has: what is unassigned is dropped, by the tables of the Python or JDK at hand."""
    rng = random.Random(0)
    ranges = [(0x20, 0x7e), (0xa0, 0x24f), (0x370, 0x3ff), (0x400, 0x4ff), (0x61e, 0x6ff), (0x900, 0x97f), (0x1e00, 0x1eff), (0x2000, 0x206f), (0x20a0, 0x20bf),
              (0x2190, 0x22ff), (0x3040, 0x30ff), (0x4e00, 0x4fff), (0xac00, 0xacff), (0xff00, 0xff60), (0x1f300, 0x1f64f)]
    made = list(HAND)
    while len(made) < count:
        parts = []
        for _ in range(rng.randint(1, 6)):
            lo, hi = rng.choice(ranges)
            parts.append("".join(chr(rng.randint(lo, hi)) for _ in range(rng.randint(1, 8))))
        made.append(rng.choice(["", " ", ", "]).join(parts))
    return made


def main(model, out):
    out += "/pipeline"
    os.makedirs(out, exist_ok=True)
    tokenizers = [CLIPTokenizer.from_pretrained(model, subfolder=s) for s in ("tokenizer", "tokenizer_2")]
    tok = lambda t, texts: t(texts, padding="max_length", max_length=77, truncation=True, return_tensors="pt").input_ids
    strings = odd_strings(200)
    ids = lambda t, s: t(s, max_length=77, truncation=True).input_ids
    json.dump([dict(text=s, ids=ids(tokenizers[0], s), ids_2=ids(tokenizers[1], s)) for s in strings],
              open(out + "/prompts.json", "w"), indent=0)
    pipe = StableDiffusionXLPipeline.from_pretrained(model, torch_dtype=torch.float32)
    prompts = ["red heart, heart", "", "egypt flag, country flag"]
    torch.manual_seed(1)
    with torch.no_grad():
        embeds, negative, pooled, negative_pooled = pipe.encode_prompt(prompts, device="cpu", do_classifier_free_guidance=True)
        last = pipe.text_encoder(tok(tokenizers[0], prompts)).last_hidden_state
        pixels = torch.rand(2, 3, 32, 48) * 2 - 1
        posterior = pipe.vae.encode(pixels).latent_dist
        latents = torch.randn(2, 4, 8, 12)
        save_file(dict(promptEmbeds=embeds, pooled=pooled, last=last.contiguous(), pixels=pixels, mean=posterior.mean.contiguous(),
                       std=posterior.std.contiguous(), latents=latents, decoded=pipe.vae.decode(latents).sample), out + "/encoders.safetensors")
    noise = {}
    for name, kw in dict(eps=dict(), v=dict(prediction_type="v_prediction"), zsnr=dict(prediction_type="v_prediction", rescale_betas_zero_snr=True),
                         linear=dict(beta_schedule="linear"), cosine=dict(beta_schedule="squaredcos_cap_v2")).items():
        kw = {**dict(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear"), **kw}
        s = DDPMScheduler(**kw)
        x, n, t = torch.randn(3, 4, 4, 4), torch.randn(3, 4, 4, 4), torch.tensor([0, 500, 999])
        noise.update({f"{name}.latents": x, f"{name}.noise": n, f"{name}.noisy": s.add_noise(x, n, t), f"{name}.velocity": s.get_velocity(x, n, t),
                      f"{name}.alphas_cumprod": s.alphas_cumprod})
        json.dump(dict(s.config), open(f"{out}/ddpm-{name}.json", "w"), indent=1)
    save_file(noise, out + "/noise.safetensors")
    steps = {}

    def trace(name, s):
        s.set_timesteps(7)
        g = torch.Generator().manual_seed(3)
        x = torch.randn(1, 4, 4, 4, generator=g) * s.init_noise_sigma
        states = [x]
        for t in s.timesteps:  # the "network" is an odd function of what it sees
            x = s.step(torch.tanh(s.scale_model_input(x, t)) * 0.9, t, x).prev_sample
            states.append(x)
        steps[name + ".timesteps"] = s.timesteps.double()
        steps[name + ".trace"] = torch.stack(states)
        json.dump(dict(s.config, _class_name=type(s).__name__), open(f"{out}/{name}.json", "w"), indent=1)

    for prediction in ("epsilon", "v_prediction"):  # clip_sample and set_alpha_to_one are on
        trace("DDIMScheduler-defaults-" + prediction, DDIMScheduler(prediction_type=prediction))
    for cls in (EulerDiscreteScheduler, DDIMScheduler):
        for spacing in ("leading", "trailing", "linspace"):
            for prediction in ("epsilon", "v_prediction"):
                for zsnr in (False, True):
                    name = f"{cls.__name__}-{spacing}-{prediction}-{'zsnr' if zsnr else 'plain'}"
                    s = cls(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", timestep_spacing=spacing, steps_offset=1,
                            prediction_type=prediction, rescale_betas_zero_snr=zsnr, **(dict(clip_sample=False, set_alpha_to_one=False) if cls is DDIMScheduler else {}))
                    trace(name, s)
    for spacing, alpha_to_one in (("leading", False), ("leading", True), ("trailing", False), ("linspace", False)):
        for prediction in ("epsilon", "v_prediction"):
            name = f"PNDMScheduler-{spacing}-{prediction}-{'one' if alpha_to_one else 'plain'}"
            trace(name, PNDMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", timestep_spacing=spacing, steps_offset=1,
                                      prediction_type=prediction, set_alpha_to_one=alpha_to_one, skip_prk_steps=True))
    save_file(steps, out + "/samplers.safetensors")
    images = {}
    for guidance in (1.0, 4.0):
        for zeros in (False, True):
            pipe.register_to_config(force_zeros_for_empty_prompt=zeros)
            images[f"sdxl-{guidance:.0f}-{'zeros' if zeros else 'empty'}"] = pipe(prompts[:2], height=64, width=64, num_inference_steps=10, guidance_scale=guidance, output_type="pt",
                                                   generator=torch.Generator().manual_seed(7)).images
    torch.manual_seed(2)
    unet = UNet2DConditionModel(sample_size=16, layers_per_block=1, norm_num_groups=4, block_out_channels=(8, 16), cross_attention_dim=32, attention_head_dim=2,
                                down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"), up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"))
    sd = StableDiffusionPipeline(pipe.vae, pipe.text_encoder, tokenizers[0], unet, DDIMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False, set_alpha_to_one=False, steps_offset=1),
                                 None, None, requires_safety_checker=False)
    images["sd1"] = sd(prompts[:2], height=64, width=64, num_inference_steps=10, guidance_scale=4.0, output_type="pt", generator=torch.Generator().manual_seed(7)).images
    unet.save_pretrained(out + "/sd1/unet")
    sd.scheduler.save_pretrained(out + "/sd1/scheduler")
    sd.scheduler = PNDMScheduler.from_config(sd.scheduler.config, skip_prk_steps=True)
    images["sd1-pndm"] = sd(prompts[:2], height=64, width=64, num_inference_steps=10, guidance_scale=4.0, output_type="pt", generator=torch.Generator().manual_seed(7)).images
    sd.scheduler.save_pretrained(out + "/sd1-pndm/scheduler")
    save_file({k: v.contiguous() for k, v in images.items()}, out + "/images.safetensors")


main(*sys.argv[1:])
