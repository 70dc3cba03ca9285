#!/usr/bin/env python3
"""Writes the golden files beside it: what PyTorch makes of convscope's networks.

Each network is written here a second time, in PyTorch's own functions and in float64, so that the
files hold the truth and the bounds in tests/golden.rs are convscope's error alone. Inputs and
parameters are a formula (`hashed`), which the test repeats exactly; only results are stored: logits
and loss whole, and of each gradient, parameter and running statistic its sum, its norm and at most
32 entries. Run `python generate.py` with PyTorch 2 and NumPy; the other families are in families.py.
"""

import json
import math
import pathlib
import re

import numpy as np
import torch
import torch.nn.functional as F

from hashed import hashed

HERE = pathlib.Path(__file__).parent
SAMPLES = 32


def initial(names, shapes, vector):
    """The parameters: weights of rank two and more in He's range, everything else near 0 or 1."""
    tensors = {}
    for stream, name in enumerate(names):
        shape = shapes[name]
        noise = hashed(stream + 1, math.prod(shape))
        kind = name.rsplit(".", 1)[1]
        if len(shape) > 1:
            values = noise * np.float32(math.sqrt(6.0 / math.prod(shape[1:])))
        elif kind == "weight":
            values = np.float32(vector) * (np.float32(1.0) + np.float32(0.25) * noise)
        elif kind == "running_var":
            values = np.float32(1.0) + np.float32(0.25) * noise
        else:
            values = np.float32(0.1) * noise
        tensors[name] = values.reshape(shape)
    return tensors


class Net:
    """Runs a network over a dictionary of tensors; on the first run it only notes their shapes."""

    def __init__(self):
        self.shapes, self.tensors, self.training = {}, None, True

    def get(self, name, shape):
        self.shapes.setdefault(name, tuple(shape))
        return torch.zeros(shape, dtype=torch.float64) if self.tensors is None else self.tensors[name]

    def conv(self, x, id, out, kernel, stride=1, padding=0, bias=True, mask=None, groups=1):
        weight = self.get(f"{id}.weight", (out, x.shape[1] // groups, kernel, kernel))
        weight = weight if mask is None else weight * mask
        bias = self.get(f"{id}.bias", (out,)) if bias else None
        return F.conv2d(x, weight, bias, stride, padding, groups=groups)

    def dense(self, x, id, out):
        return F.linear(x, self.get(f"{id}.weight", (out, x.shape[1])), self.get(f"{id}.bias", (out,)))

    def norm(self, x, id):
        c = (x.shape[1],)
        weight, bias = self.get(f"{id}.weight", c), self.get(f"{id}.bias", c)
        mean, var = self.get(f"{id}.running_mean", c), self.get(f"{id}.running_var", c)
        return F.batch_norm(x, mean, var, weight, bias, self.training, 0.1, 1e-5)

    def conv_bn_relu(self, x, id, out):
        return F.relu(self.norm(self.conv(x, f"{id}_conv", out, 3, 1, 1, False), f"{id}_bn"))


def lenet5(net, x):
    x = F.max_pool2d(F.relu(net.conv(x, "conv1", 6, 5, padding=2)), 2)
    x = F.max_pool2d(F.relu(net.conv(x, "conv2", 16, 5)), 2)
    x = F.relu(net.dense(torch.flatten(x, 1), "fc1", 120))
    return net.dense(F.relu(net.dense(x, "fc2", 84)), "fc3", 10)


TABLE = ["012", "123", "234", "345", "045", "015", "0123", "1234", "2345", "0345", "0145", "0125",
         "0134", "1245", "0235", "012345"]
CONNECTED = torch.tensor([[float(str(i) in row) for i in range(6)] for row in TABLE], dtype=torch.float64)
CONNECTED = CONNECTED.reshape(16, 6, 1, 1)


def squash(x):
    return 1.7159 * torch.tanh(2 / 3 * x)


def subsample(net, x, id):
    c = x.shape[1]
    weight, bias = net.get(f"{id}.weight", (c,)), net.get(f"{id}.bias", (c,))
    return F.avg_pool2d(x, 2, divisor_override=1) * weight.reshape(1, c, 1, 1) + bias.reshape(1, c, 1, 1)


def lenet5_1998(net, x):
    x = squash(net.conv(x, "c1", 6, 5, padding=2))
    x = squash(subsample(net, x, "s2"))
    x = squash(net.conv(x, "c3", 16, 5, mask=CONNECTED))
    x = squash(subsample(net, x, "s4"))
    x = torch.flatten(squash(net.conv(x, "c5", 120, 5)), 1)
    return squash(net.dense(x, "f6", 84))


def codes():
    """The drawings are data of src/nn/layers/rbf.rs."""
    text = (HERE / "../../src/nn/layers/rbf.rs").read_text()
    rows = re.findall(r"0b([01]{7})\b", text)
    return torch.tensor([[2.0 * int(bit) - 1 for bit in row] for row in rows], dtype=torch.float64).reshape(10, 84)


def rbf(net, x):
    return -torch.cdist(lenet5_1998(net, x), codes(), compute_mode="donot_use_mm_for_euclid_dist") ** 2


def softmax(net, x):
    return net.dense(lenet5_1998(net, x), "output", 10)


def mini_vgg(net, x):
    for stage, channels in enumerate((32, 64, 128), 1):
        x = x if stage == 1 else F.max_pool2d(x, 2)
        for part in (1, 2):
            x = net.conv_bn_relu(x, f"block{stage}_{part}", channels)
    return net.dense(x.mean((2, 3)), "fc", 10)


def resnet20(net, x):
    x = net.conv_bn_relu(x, "stem", 16)
    for stage, channels in enumerate((16, 32, 64), 1):
        for block in (1, 2, 3):
            id, stride = f"stage{stage}_{block}", 2 if stage > 1 and block == 1 else 1
            y = F.relu(net.norm(net.conv(x, f"{id}_conv1", channels, 3, stride, 1, False), f"{id}_bn1"))
            y = net.norm(net.conv(y, f"{id}_conv2", channels, 3, 1, 1, False), f"{id}_bn2")
            zeros = (channels - x.shape[1]) // 2
            x = F.relu(y + F.pad(x[:, :, ::stride, ::stride], (0, 0, 0, 0, zeros, zeros)))
    return net.dense(x.mean((2, 3)), "fc", 10)


def summary(tensor, most=SAMPLES):
    flat = tensor.detach().reshape(-1)
    step = -(-flat.numel() // most)
    samples = [float(f"{v:.9g}") for v in flat[::step].tolist()]
    return {"sum": flat.sum().item(), "norm": flat.norm().item(), "step": step, "samples": samples}


def golden(name, network, options, forward, shape, lr=None, vector=1.0, most=SAMPLES):
    torch.manual_seed(0)
    x = torch.from_numpy(hashed(0, math.prod(shape)).reshape(shape)).double()
    labels = torch.tensor([(7 * i + 3) % 10 for i in range(shape[0])])
    net = Net()
    with torch.no_grad():
        forward(net, x)
    statistic = lambda n: "running" in n
    names = sorted(net.shapes, key=statistic)  # stable: parameters first, as the network exports them
    start = initial(names, net.shapes, vector)
    if name.startswith("lenet5-1998"):
        start["c3.weight"] = start["c3.weight"] * CONNECTED.numpy().astype(np.float32)

    def fresh():
        net.tensors = {n: torch.from_numpy(start[n].copy()).double() for n in names}
        trained = [n for n in names if not statistic(n)]
        for n in trained:
            net.tensors[n].requires_grad_()
        return [net.tensors[n] for n in trained], trained

    def loss():
        return F.cross_entropy(forward(net, x), labels)

    net.training = False
    fresh()
    eval_logits = forward(net, x).detach()
    net.training = True
    parameters, trained = fresh()
    logits = forward(net, x)
    first = F.cross_entropy(logits, labels)
    first.backward()
    result = {
        "network": network, "options": options, "input": list(shape), "vector": vector,
        "eval_logits": eval_logits.flatten().tolist(), "logits": logits.detach().flatten().tolist(),
        "loss": first.item(), "gradients": {n: summary(p.grad, most) for n, p in zip(trained, parameters)},
    }
    for key, make in () if lr is None else (
        ("sgd", lambda p: torch.optim.SGD(p, lr=lr, momentum=0.9, weight_decay=5e-4)),
        ("adam", lambda p: torch.optim.Adam(p, lr=1e-3, weight_decay=5e-4)),
    ):
        parameters, _ = fresh()
        optimizer, losses = make(parameters), []
        for _ in range(3):
            optimizer.zero_grad()
            value = loss()
            value.backward()
            optimizer.step()
            losses.append(value.item())
        result[key] = {"losses": losses, "lr": lr if key == "sgd" else 1e-3,
                       "tensors": {n: summary(net.tensors[n]) for n in names}}
    (HERE / "networks" / f"{name}.json").write_text(json.dumps(result) + "\n")
    print(f"{name}: loss {result['loss']:.6f}")


if __name__ == "__main__":
    golden("lenet5", "lenet5", {}, lenet5, (4, 1, 28, 28), 0.01)
    golden("lenet5-1998", "lenet5-1998", {"output": "rbf"}, rbf, (4, 1, 28, 28), 1e-4, 0.3)
    golden("lenet5-1998-softmax", "lenet5-1998", {"output": "softmax"}, softmax, (4, 1, 28, 28), 0.01, 0.3)
    golden("mini-vgg", "mini-vgg", {}, mini_vgg, (4, 3, 16, 16), 0.01)
    golden("resnet20", "resnet20", {}, resnet20, (4, 3, 16, 16), 0.01)
