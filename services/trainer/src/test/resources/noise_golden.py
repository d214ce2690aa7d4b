"""Noise of diffengine's generators, for NoiseTest: pip install torch==2.7.1
prints kind, argument, then (1, 2, 7, 5) numbers. Random numbers are those of Draws.of(3, 5, 1, "noise"), in the same order."""
import math, random
import torch
from torch import nn

MASK, GAMMA = 2**64 - 1, 0x9E3779B97F4A7C15


def mix(z):
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


class Draws:
    def __init__(self, seed, step, slot, purpose):
        self.state = mix((seed + GAMMA) & MASK)
        for part in (step, slot, *map(ord, purpose)):
            self.state = mix(self.state ^ ((part + GAMMA) & MASK))

    def unit(self):
        self.state = (self.state + GAMMA) & MASK
        return (mix(self.state) >> 11) * 2.0**-53

    def randn(self, *shape, device=None):
        numbers, count = [], math.prod(shape)
        while len(numbers) < count:
            radius, angle = math.sqrt(-2 * math.log(1 - self.unit())), 2 * math.pi * self.unit()
            numbers += [radius * math.cos(angle), radius * math.sin(angle)]
        return torch.tensor(numbers[:count], dtype=torch.float32).reshape(shape)


def offset_noise(latents, offset_weight):  # diffengine, diffengine/models/utils/noise.py, OffsetNoise.forward
    noise = torch.randn_like(latents)
    return noise + offset_weight * torch.randn(latents.shape[0], latents.shape[1], 1, 1, device=noise.device)


def pyramid_noise(latents, discount):  # the same, PyramidNoise.forward with random_multiplier
    noise = torch.randn_like(latents)
    b, c, w, h = latents.shape
    u = nn.Upsample(size=(w, h), mode="bilinear")
    for i in range(16):
        r = random.random() * 2 + 2
        w, h = max(1, int(w / (r**i))), max(1, int(h / (r**i)))
        noise += u(torch.randn(b, c, w, h).to(latents)) * discount**i
        if w == 1 or h == 1:
            break
    return noise / noise.std()


for kind, generator, argument in (("offset", offset_noise, 0.05), ("pyramid", pyramid_noise, 0.9), ("pyramid", pyramid_noise, 0.3)):
    draws = Draws(3, 5, 1, "noise")
    torch.randn, random.random = draws.randn, draws.unit
    torch.randn_like = lambda x: draws.randn(*x.shape)
    numbers = generator(torch.zeros(1, 2, 7, 5), argument)
    print(kind, argument, ",".join(f"{x:.9g}" for x in numbers.flatten().tolist()), sep=";")
