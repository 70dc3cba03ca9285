#!/usr/bin/env python3
"""Writes schedules.json: the learning rates of PyTorch's schedulers, step by step.

Run `python schedules.py` with PyTorch 2. An epoch has 10 steps, training 60, the learning rate is 0.1.
"""

import json
import math
import pathlib

import torch


S = torch.optim.lr_scheduler
STEPS, EPOCH, RATE = 60, 10, 0.1


def rates(make, feed=None):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=RATE)
    scheduler, found = make(optimizer), []
    for step in range(STEPS):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if feed is None:
            scheduler.step()
        elif (step + 1) % EPOCH == 0:
            scheduler.step(feed[step // EPOCH])
    return found


# What each epoch's mean loss is: every step of an epoch has this loss.
LOSSES = [1.0, 0.5, 0.7, 0.499999, 0.6, 0.4]
ROWS = [
    ("constant", {}, lambda o: S.ConstantLR(o, factor=1.0)),
    ("step-decay", {"every": 1.5, "factor": 0.3}, lambda o: S.StepLR(o, step_size=15, gamma=0.3)),
    ("cosine", {"floor": 0.05}, lambda o: S.CosineAnnealingLR(o, STEPS, eta_min=0.005)),
    ("cosine", {"floor": 0.05, "warmup": 2, "epochs": 5}, lambda o: S.SequentialLR(o, [
        S.LinearLR(o, start_factor=1 / 20, total_iters=20),
        S.LambdaLR(o, lambda t: 0.05 + 0.95 * (1 + math.cos(math.pi * min(t / 30, 1))) / 2)],
        milestones=[20])),
    ("one-cycle", {}, lambda o: S.OneCycleLR(o, max_lr=RATE, total_steps=STEPS, cycle_momentum=False)),
    ("one-cycle", {"rise": 0.5, "divide": 10, "divideEnd": 100},
     lambda o: S.OneCycleLR(o, max_lr=RATE, total_steps=STEPS, pct_start=0.5, div_factor=10,
                            final_div_factor=100, cycle_momentum=False)),
]
rows = [{"id": i, "fields": f, "rates": rates(make)} for i, f, make in ROWS]
rows.append({"id": "plateau", "fields": {"factor": 0.1, "patience": 1, "threshold": 1e-4, "floor": 0.001},
             "rates": rates(lambda o: S.ReduceLROnPlateau(o, factor=0.1, patience=1, threshold=1e-4,
                                                          min_lr=1e-4), LOSSES)})
golden = {"steps": STEPS, "epoch": EPOCH, "rate": RATE, "losses": LOSSES, "rows": rows}
(pathlib.Path(__file__).parent / "schedules.json").write_text(json.dumps(golden) + "\n")
