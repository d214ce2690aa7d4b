"""Golden tensors of the optimizers: 20 steps of torch's AdamW and transformers' Adafactor on given gradients.

  pip install torch==2.7.1 diffusers==0.35.1 transformers==4.55.4 safetensors==0.8.0
  python golden_optimizers.py ../resources/dev/distillery/diffusion/golden

Writes optimizers.safetensors: start.KEY, grad.STEP.KEY and, for each optimizer, NAME.KEY (the parameter after 20 steps with
learning rate 1e-2 / (1 + step)) and NAME.state.STATE.KEY. ema.KEY: diffusers' EMAModel(decay=0.6) of AdamW's 20 steps; ema3.KEY: of each
third one's.
"""
import sys
import torch
from diffusers.training_utils import EMAModel
from safetensors.torch import save_file
from transformers.optimization import Adafactor

SHAPES = {"bias": (5,), "linear": (6, 4), "conv": (4, 3, 3, 3), "one_by_one": (4, 6, 1, 1)}
STEPS = 20


def main(folder):
    torch.manual_seed(0)
    out = {f"start.{k}": torch.randn(s) for k, s in SHAPES.items()}
    out.update({f"grad.{i}.{k}": torch.randn(s) * 10 ** (-i / 7) for i in range(STEPS) for k, s in SHAPES.items()})
    optimizers = dict(
        adamw=lambda p: torch.optim.AdamW(p, lr=1e-2, weight_decay=1e-2),
        adafactor=lambda p: Adafactor(p, lr=1e-2, weight_decay=1e-2, scale_parameter=False, relative_step=False, warmup_init=False))
    for name, optimizer_of in optimizers.items():
        parameters = {k: torch.nn.Parameter(out[f"start.{k}"].clone()) for k in SHAPES}
        optimizer = optimizer_of(list(parameters.values()))
        averages = {every: EMAModel(parameters.values(), decay=0.6) for every in (1, 3)}
        for i in range(STEPS):
            optimizer.param_groups[0]["lr"] = 1e-2 / (1 + i)
            for k, p in parameters.items():
                p.grad = out[f"grad.{i}.{k}"].clone()
            optimizer.step()
            for every, average in averages.items():
                if (i + 1) % every == 0:
                    average.step(parameters.values())
        if name == "adamw":
            for (k, one), third in zip(zip(parameters, averages[1].shadow_params), averages[3].shadow_params):
                out[f"ema.{k}"], out[f"ema3.{k}"] = one.clone(), third.clone()
        for k, p in parameters.items():
            out[f"{name}.{k}"] = p.detach().clone()
            for state, value in optimizer.state[p].items():
                if state.startswith("exp_avg") and torch.is_tensor(value):
                    out[f"{name}.state.{state}.{k}"] = value.contiguous().clone()
    save_file(out, f"{folder}/optimizers.safetensors")


main(sys.argv[1])
