#!/usr/bin/env python3
"""Writes losses.json: PyTorch's losses of `hashed` scores and their gradients, in float64.

Run `python losses.py` with PyTorch 2 and NumPy; tests/losses.rs repeats the scores exactly.
"""

import json
import pathlib

import torch
import torch.nn.functional as F

from hashed import hashed

ROWS, CLASSES = 6, 5
LABELS = torch.tensor([3, 0, 4, 1, 2, 0])
ONE_HOT = F.one_hot(LABELS, CLASSES).double()


def focal(x, gamma, alpha):
    """torchvision.ops.sigmoid_focal_loss, summed over classes."""
    p = torch.sigmoid(x)
    ce = F.binary_cross_entropy_with_logits(x, ONE_HOT, reduction="none")
    right = p * ONE_HOT + (1 - p) * (1 - ONE_HOT)
    weight = alpha * ONE_HOT + (1 - alpha) * (1 - ONE_HOT)
    return (weight * ce * (1 - right) ** gamma).sum(1)


RULES = [
    ("cross-entropy", {}, lambda x: F.cross_entropy(x, LABELS, reduction="none")),
    ("cross-entropy", {"smoothing": 0.1},
     lambda x: F.cross_entropy(x, LABELS, reduction="none", label_smoothing=0.1)),
    ("squared-error", {}, lambda x: F.mse_loss(x, ONE_HOT, reduction="none").mean(1)),
    ("hinge", {}, lambda x: F.multi_margin_loss(x, LABELS, reduction="none")),
    ("binary-cross-entropy", {},
     lambda x: F.binary_cross_entropy_with_logits(x, ONE_HOT, reduction="none").mean(1)),
    ("focal", {"gamma": 2.0, "alpha": 0.25}, lambda x: focal(x, 2.0, 0.25)),
    ("focal", {"gamma": 0.5, "alpha": 0.5}, lambda x: focal(x, 0.5, 0.5)),
]

rows = []
for name, fields, rule in RULES:
    x = torch.tensor(hashed(1, ROWS * CLASSES) * 3, dtype=torch.float64).reshape(ROWS, CLASSES).requires_grad_()
    losses = rule(x)
    losses.mean().backward()
    rows.append({"id": name, "fields": fields, "losses": losses.tolist(), "gradient": x.grad.flatten().tolist()})
golden = {"classes": CLASSES, "labels": LABELS.tolist(), "rows": rows}
(pathlib.Path(__file__).parent / "losses.json").write_text(json.dumps(golden) + "\n")
