#!/usr/bin/env python3
"""Writes optimizers.json: where PyTorch's optimizers, and LARS from its paper, take two small tensors.

Parameters and the gradients of every step are `hashed` numbers that tests/optimizers.rs repeats exactly;
everything is computed in float64. Run `python optimizers.py` with PyTorch 2 and NumPy.
"""

import json
import pathlib

import torch

from hashed import hashed

SIZES = (70, 6)
STEPS = 5


def start():
    return [torch.tensor(hashed(1 + i, n), dtype=torch.float64) for i, n in enumerate(SIZES)]


def gradients(step):
    """The second tensor's are small, so that its steps differ from the first one's."""
    return [torch.tensor(hashed(10 + 2 * step + i, n) * s, dtype=torch.float64)
            for i, (n, s) in enumerate(zip(SIZES, (1.0, 0.125)))]


def run(make):
    parameters = [p.requires_grad_() for p in start()]
    optimizer = make(parameters)
    for step in range(STEPS):
        for parameter, gradient in zip(parameters, gradients(step)):
            parameter.grad = gradient
        optimizer.step()
    return [p.tolist() for p in parameters]


class Lars:
    """Algorithm 1 of You, Gitman & Ginsburg 2017, without its decay of the learning rate."""

    def __init__(self, parameters, learningRate, momentum, trust, weightDecay):
        self.parameters, self.velocity = parameters, [torch.zeros_like(p) for p in parameters]
        self.rate, self.momentum, self.trust, self.decay = learningRate, momentum, trust, weightDecay

    def step(self):
        with torch.no_grad():
            for p, v in zip(self.parameters, self.velocity):
                local = self.trust * p.norm() / (p.grad.norm() + self.decay * p.norm() + 1e-9)
                v.mul_(self.momentum).add_(self.rate * local * (p.grad + self.decay * p))
                p.sub_(v)


O = torch.optim
ROWS = [
    ("descent", {"learningRate": 0.1, "weightDecay": 0.01}, lambda p: O.SGD(p, lr=0.1, weight_decay=0.01)),
    ("sgd", {"learningRate": 0.1, "momentum": 0.8, "weightDecay": 0.01},
     lambda p: O.SGD(p, lr=0.1, momentum=0.8, weight_decay=0.01)),
    ("sgd", {"learningRate": 0.1, "momentum": 0.8, "weightDecay": 0.01, "nesterov": True},
     lambda p: O.SGD(p, lr=0.1, momentum=0.8, weight_decay=0.01, nesterov=True)),
    ("adagrad", {"learningRate": 0.1, "weightDecay": 0.01}, lambda p: O.Adagrad(p, lr=0.1, weight_decay=0.01)),
    ("rmsprop", {"learningRate": 0.01, "alpha": 0.9, "weightDecay": 0.01},
     lambda p: O.RMSprop(p, lr=0.01, alpha=0.9, weight_decay=0.01)),
    ("adadelta", {"learningRate": 1.0, "rho": 0.8, "weightDecay": 0.01},
     lambda p: O.Adadelta(p, lr=1.0, rho=0.8, weight_decay=0.01)),
    ("adam", {"learningRate": 0.01, "beta1": 0.8, "beta2": 0.99, "weightDecay": 0.01},
     lambda p: O.Adam(p, lr=0.01, betas=(0.8, 0.99), weight_decay=0.01)),
    ("adamw", {"learningRate": 0.01, "beta1": 0.8, "beta2": 0.99, "weightDecay": 0.5},
     lambda p: O.AdamW(p, lr=0.01, betas=(0.8, 0.99), weight_decay=0.5)),
    ("lars", {"learningRate": 1.0, "momentum": 0.8, "trust": 0.02, "weightDecay": 0.01},
     lambda p: Lars(p, 1.0, 0.8, 0.02, 0.01)),
]

golden = {"sizes": SIZES, "steps": STEPS,
          "rows": [{"id": i, "fields": f, "parameters": run(make)} for i, f, make in ROWS]}
path = pathlib.Path(__file__).parent / "optimizers.json"
path.write_text(json.dumps(golden) + "\n")
