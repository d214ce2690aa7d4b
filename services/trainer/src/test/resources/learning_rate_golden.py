"""Learning rates of diffusers' schedules, for LearningRateTest: pip install torch==2.7.1 diffusers==0.35.1
prints type, warm-up, steps, then the rate of every step for base rate 1e-3."""
import torch
from diffusers.optimization import get_scheduler

for name, diffusers_name in (("constant", "constant_with_warmup"), ("linear", "linear"), ("cosine", "cosine")):
    for warmup, steps in ((0, 8), (3, 10)):
        optimizer = torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))], lr=1e-3)
        schedule = get_scheduler(diffusers_name, optimizer, num_warmup_steps=warmup, num_training_steps=steps)
        rates = []
        for _ in range(steps):
            rates.append(repr(schedule.get_last_lr()[0]))
            optimizer.step()
            schedule.step()
        print(name, warmup, steps, ",".join(rates), sep=";")
