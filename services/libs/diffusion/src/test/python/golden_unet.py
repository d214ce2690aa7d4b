"""Golden tensors of the U-Net and of one distillation step, from the real diffusers.

  pip install torch==2.7.1 diffusers==0.35.1 transformers==4.55.4 safetensors==0.8.0
  python golden_unet.py ../resources/dev/distillery/diffusion/golden

Writes unet-FAMILY/ for an SDXL-, an SD1- and an SD2-shaped U-Net of a few thousand parameters: the teacher as diffusers saves
it, a batch, the teacher's outputs, and for each student layout the losses, the prediction and every gradient of one step
(fp32 on the CPU; for SDXL small in autocast's bfloat16 as well). The step is that of diffengine's DistillSDXL: MSE over the noise
(SD2: velocity), the teacher's output and every block's output; step-LAYOUT-snr weights each sample as its SNRL2Loss
(gamma 5), -debiased as its DeBiasEstimationLoss, -huber is its HuberLoss (delta 0.3). -layer compares every resnet and
transformer as diffengine's SSD1B does, -attention every self attention as KOALA does (blocks without attention by their
outputs), -relative divides each feature's term by the mean square of the teacher's feature.
"""
import copy, re, sys
import torch, torch.nn.functional as F
from diffusers import DDPMScheduler, UNet2DConditionModel
from safetensors.torch import save_file

COMMON = dict(layers_per_block=2, norm_num_groups=4, sample_size=8)
SDXL = dict(down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
            block_out_channels=(8, 16, 24), attention_head_dim=(1, 2, 3), transformer_layers_per_block=[1, 1, 2],
            cross_attention_dim=20, use_linear_projection=True, addition_embed_type="text_time",
            addition_time_embed_dim=6, projection_class_embeddings_input_dim=12 + 36, **COMMON)
SD = dict(down_block_types=("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",), up_block_types=("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3,
          block_out_channels=(8, 12, 16, 16), cross_attention_dim=20, **COMMON)
FAMILIES = dict(
    sdxl=(SDXL, "epsilon", ("small", "tiny")),
    sd1=(dict(SD, attention_head_dim=4), "epsilon", ("base", "small", "tiny")),
    sd2=(dict(SD, attention_head_dim=(2, 3, 4, 4), use_linear_projection=True), "v_prediction", ("base", "small", "tiny")))


def student_of(teacher, with_mid):
    unet = copy.deepcopy(teacher)
    unet.register_to_config(layers_per_block=1)
    for block in unet.down_blocks:
        del block.resnets[1:]
        if getattr(block, "attentions", None) is not None:
            del block.attentions[1:]
    for block in unet.up_blocks:
        del block.resnets[1]
        if getattr(block, "attentions", None) is not None:
            del block.attentions[1]
    if not with_mid:
        unet.mid_block = None
        unet.register_to_config(mid_block_type=None)
    return unet


def tiny_of(teacher, config):
    """BK-SDM's tiny: without the mid block and the innermost level."""
    cut = {k: v[:3] for k, v in config.items() if isinstance(v, tuple) and len(v) == 4}
    cut.update(up_block_types=config["up_block_types"][1:], layers_per_block=1, mid_block_type=None)
    unet = UNet2DConditionModel(**dict(config, **cut))
    weights = teacher.state_dict()

    def key(k):
        part = k.split(".")
        if part[0] == "up_blocks":
            part[1] = str(int(part[1]) + 1)
            if part[2] in ("resnets", "attentions"):
                part[3] = "02"[int(part[3])]
        return ".".join(part)
    unet.load_state_dict({k: weights[key(k)] for k in unet.state_dict()})
    return unet


def watch(unet):
    out = {}
    for i, b in enumerate(unet.down_blocks):
        b.register_forward_hook(lambda m, a, o, k=f"down.{i}": out.__setitem__(k, o[0]))
    if unet.mid_block is not None:
        unet.mid_block.register_forward_hook(lambda m, a, o: out.__setitem__("mid", o))
    for i, b in enumerate(unet.up_blocks):
        b.register_forward_hook(lambda m, a, o, k=f"up.{i}": out.__setitem__(k, o))
    return out


def watch_inside(unet, suffix):
    """The outputs of the modules whose names end so; a transformer answers with a tuple."""
    out = {}
    for name, module in unet.named_modules():
        if re.fullmatch(suffix, name):
            module.register_forward_hook(lambda m, a, o, k=name: out.__setitem__(k, o[0] if isinstance(o, tuple) else o))
    return out


def taught_by(name):
    """The teacher's name of what a student of one layer a block kept."""
    return re.sub(r"^(up_blocks\.\d\.(?:resnets|attentions)\.)1", r"\g<1>2", name)


def main(folder):
    for family, (config, prediction, layouts) in FAMILIES.items():
        torch.manual_seed(0)
        teacher = UNet2DConditionModel(**config).eval()
        with torch.no_grad():  # so that no norm is the identity and no bias is small
            for p in teacher.parameters():
                p.add_(torch.randn_like(p) * 0.05)
        teacher.requires_grad_(False)
        to = f"{folder}/unet-{family}"
        teacher.save_pretrained(to + "/unet")
        sched = DDPMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", prediction_type=prediction)
        sched.save_pretrained(to + "/scheduler")
        b = dict(latents=torch.randn(2, 4, 8, 8), noise=torch.randn(2, 4, 8, 8), prompt_embeds=torch.randn(2, 7, 20),
                 timesteps=torch.tensor([17, 801]))
        kw = {}
        if family == "sdxl":
            b.update(text_embeds=torch.randn(2, 12), time_ids=torch.tensor([[64.0, 48, 0, 3, 64, 64], [80, 64, 7, 0, 64, 64]]))
            kw = dict(added_cond_kwargs=dict(text_embeds=b["text_embeds"], time_ids=b["time_ids"]))
        save_file(b, to + "/batch.safetensors")
        pristine = copy.deepcopy(teacher)  # a copy made later would carry the hooks
        tf, inner = watch(teacher), {}
        teacher.down_blocks[2].attentions[-1].register_forward_hook(lambda m, a, o: inner.__setitem__("down.2", o[0]))
        noisy = sched.add_noise(b["latents"], b["noise"], b["timesteps"])
        target = teacher(noisy, b["timesteps"], b["prompt_embeds"], **kw).sample
        save_file({k: v.contiguous() for k, v in dict(tf, noisy=noisy, prediction=target).items()}, to + "/teacher.safetensors")
        truth = b["noise"] if prediction == "epsilon" else sched.get_velocity(b["latents"], b["noise"], b["timesteps"])
        alphas = sched.alphas_cumprod[b["timesteps"]]
        snr = alphas / (1 - alphas)
        snr_weight = snr.clamp(max=5) / (snr if prediction == "epsilon" else snr + 1)
        debiased = 1 / torch.sqrt(snr if prediction == "epsilon" else snr + 1)
        one = torch.ones(2)
        cases = [(layout, "", one) for layout in layouts] + [("small", "-bf16", one)] * (family == "sdxl")
        cases += [(layouts[0], "-snr", snr_weight), (layouts[0], "-debiased", debiased)] * (family != "sd1")
        if family == "sdxl":
            cases += [(layouts[0], "-huber", one), (layouts[0], "-layer", one), ("tiny", "-attention", one), (layouts[0], "-relative", one)]
        suffixes = {"-layer": r".*\.(resnets|attentions)\.\d", "-attention": r".*\.attn1"}
        for layout, variant, weight in cases:
            tiny = family != "sdxl" and layout == "tiny"
            student = tiny_of(pristine, config) if tiny else student_of(pristine, layout == layouts[0])
            student.train().requires_grad_(True)
            sf = watch(student)
            inside = suffixes.get(variant, "nothing")
            t_inside, s_inside = watch_inside(teacher, inside), watch_inside(student, inside)
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=variant == "-bf16"):
                with torch.no_grad():
                    target = teacher(noisy, b["timesteps"], b["prompt_embeds"], **kw).sample.float()
                pred = student(noisy, b["timesteps"], b["prompt_embeds"], **kw).sample.float()
            n = len(student.down_blocks)
            pairs = [(f"down.{i}",) * 2 for i in range(n if "mid" in sf else n - 1)]
            pairs += [("mid", "mid" if "mid" in sf else f"down.{n - 1}")] + [(f"up.{i}",) * 2 for i in range(n)]
            taught = tf
            if tiny:  # the last down block has no down-sampler any more, and learns what the teacher has before its own
                taught = dict(tf, inner=inner["down.2"])
                pairs = [("down.0", "down.0"), ("down.1", "down.1"), ("inner", "down.2")]
                pairs += [(f"up.{i + 1}", f"up.{i}") for i in range(n)]
            if inside != "nothing":
                others = [(t, s) for t, s in pairs if variant == "-attention" and s in ("down.0", "up.2")]
                pairs = [(taught_by(name), name) for name in s_inside] + others
                taught, sf = dict(tf, **t_inside), dict(sf, **s_inside)

            def mse(x, y):  # the mean over samples of weighted means
                if variant == "-huber":
                    return F.huber_loss(x.float(), y.float(), delta=0.3)
                return (F.mse_loss(x.float(), y.float(), reduction="none").flatten(1).mean(1) * weight).mean()

            def feature(taught, learnt):
                return mse(learnt, taught) / (taught.square().mean() if variant == "-relative" else 1)
            losses = dict(loss_sd=mse(pred, truth), loss_kd=mse(pred, target),
                          loss_features=sum(feature(taught[t], sf[s]) for t, s in pairs))
            sum(losses.values()).backward()
            out = {k: v.detach().reshape(1) for k, v in losses.items()}
            out["pred"] = pred.detach()
            out.update({"grad." + k: p.grad for k, p in student.named_parameters()})
            save_file({k: v.contiguous().clone() for k, v in out.items()}, f"{to}/step-{layout}{variant}.safetensors")


main(sys.argv[1])
