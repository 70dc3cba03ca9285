#!/usr/bin/env python3
"""Writes layers.json beside it: what PyTorch makes of convscope's layers, one at a time.

Each row is a tiny network (a description in convscope's JSON), its parameters' names and shapes in
PyTorch's layout, and in float64 the output and the gradients of `sum(seed * output)` with respect to the image
and every parameter. Image, parameters and seed are those of hashed.py, which tests/layers.rs
repeats. Run `python layers.py` with PyTorch 2 and NumPy.
"""

import json
import pathlib

import numpy as np
import torch
import torch.nn.functional as F

from hashed import hashed

HERE = pathlib.Path(__file__).parent
ROWS = []


def row(name, nodes, shape, params, forward):
    """Runs `forward(x, p)` and notes everything; maps are flattened by a last node."""
    x = torch.tensor(2.0 * hashed(0, int(np.prod(shape))).astype(np.float64)).reshape(shape).requires_grad_()
    p = {}
    for stream, (key, dims) in enumerate(params.items()):
        values = 0.5 * hashed(stream + 1, int(np.prod(dims))).astype(np.float64)
        p[key] = torch.tensor(values).reshape(dims).requires_grad_()
    named = {key.split(".", 1)[1] if key.startswith("it.") else key: value for key, value in p.items()}
    y = forward(x, named)
    if y.ndim == 4:
        nodes = nodes + [{"id": "flat", "kind": "flatten"}]
    y = y.flatten(1)
    seed = torch.tensor(hashed(1000, y.numel()).astype(np.float64)).reshape(y.shape)
    grads = torch.autograd.grad((seed * y).sum(), [x, *p.values()], allow_unused=True)
    grads = [torch.zeros_like(v) if g is None else g for g, v in zip(grads, [x, *p.values()])]

    def flat(t):
        return [float(f"{v:.9g}") for v in t.detach().flatten().tolist()]

    ROWS.append({
        "name": name,
        "nodes": nodes,
        "input": shape,
        "parameters": [[key, list(dims)] for key, dims in params.items()],
        "output": flat(y),
        "gradients": [flat(g) for g in grads],
    })


def it(kind, **fields):
    return [{"id": "it", "kind": kind, **fields}]


MAPS = [2, 4, 3, 4]
for kind, function in {
    "selu": F.selu,
    "gelu": F.gelu,
    "silu": F.silu,
    "hard_swish": F.hardswish,
    "softmax": lambda x: F.softmax(x, 1),
    "global_max_pool2d": lambda x: F.adaptive_max_pool2d(x, 1).flatten(1),
}.items():
    row(kind, it(kind), MAPS, {}, lambda x, p, f=function: f(x))
row("elu", it("elu", alpha=0.7), MAPS, {}, lambda x, p: F.elu(x, 0.7))
row("relu6", [{"id": "wide", "kind": "tanh", "scale": 9.0}, {"id": "it", "kind": "relu6"}], MAPS, {},
    lambda x, p: F.relu6(9.0 * torch.tanh(x)))
row("prelu", it("prelu"), MAPS, {"it.weight": [4]}, lambda x, p: F.prelu(x, p["weight"]))

# PyTorch divides alpha by n.
row("local_response_norm", it("local_response_norm", n=3, alpha=0.3), MAPS, {},
    lambda x, p: F.local_response_norm(x, 3, alpha=0.9, beta=0.75, k=2.0))
row("local_response_norm of an even window", it("local_response_norm", n=4, alpha=0.3), [1, 6, 2, 2], {},
    lambda x, p: F.local_response_norm(x, 4, alpha=1.2, beta=0.75, k=2.0))
AFFINE = {"it.weight": [4], "it.bias": [4]}
row("layer_norm of channels", it("layer_norm"), MAPS, AFFINE,
    lambda x, p: F.layer_norm(x.permute(0, 2, 3, 1), [4], p["weight"], p["bias"]).permute(0, 3, 1, 2))
row("layer_norm of the image", it("layer_norm", over="image"), MAPS, {"it.weight": [4, 3, 4], "it.bias": [4, 3, 4]},
    lambda x, p: F.layer_norm(x, [4, 3, 4], p["weight"], p["bias"]))
row("instance_norm2d", it("instance_norm2d"), MAPS, AFFINE,
    lambda x, p: F.instance_norm(x, weight=p["weight"], bias=p["bias"]))
row("group_norm", it("group_norm", groups=2), MAPS, AFFINE,
    lambda x, p: F.group_norm(x, 2, p["weight"], p["bias"]))


def shared(x, p):
    blocks = x.reshape(2, 4, 2, 2, 3).transpose(1, 2).reshape(2, 2, 8, 3)
    y = F.batch_norm(blocks, None, None, p["weight"], p["bias"], training=True)
    return y.reshape(2, 2, 4, 2, 3).transpose(1, 2).reshape(2, 8, 2, 3)


row("batch_norm2d of a group", it("batch_norm2d", shared=4), [2, 8, 2, 3], {"it.weight": [2], "it.bias": [2]}, shared)

row("conv2d of uneven steps", it("conv2d", out_channels=3, kernel=3, kernel_width=2, stride=1, stride_width=2,
                                 dilation=1, dilation_width=2), [1, 2, 5, 7],
    {"it.weight": [3, 2, 3, 2], "it.bias": [3]},
    lambda x, p: F.conv2d(x, p["weight"], p["bias"], stride=(1, 2), dilation=(1, 2)))
row("depthwise_conv2d", it("depthwise_conv2d", multiplier=2, padding="same"), [1, 3, 4, 4],
    {"it.weight": [6, 1, 3, 3], "it.bias": [6]},
    lambda x, p: F.conv2d(x, p["weight"], p["bias"], padding=1, groups=3))
row("separable_conv2d", it("separable_conv2d", out_channels=3, stride=2), [1, 2, 5, 5],
    {"it_depthwise.weight": [2, 1, 3, 3], "it.weight": [3, 2, 1, 1], "it.bias": [3]},
    lambda x, p: F.conv2d(F.conv2d(x, p["it_depthwise.weight"], stride=2, groups=2), p["weight"], p["bias"]))
row("conv_transpose2d", it("conv_transpose2d", out_channels=6, kernel=3, stride=2, padding=1, output_padding=1,
                           groups=2), [1, 4, 2, 3], {"it.weight": [4, 3, 3, 3], "it.bias": [6]},
    lambda x, p: F.conv_transpose2d(x, p["weight"], p["bias"], 2, 1, 1, groups=2))


def unshared(x, p):
    n, c = x.shape[:2]
    patches = F.unfold(x, 2)
    pixels = patches.shape[2]
    patches = patches.reshape(n, c, 4, pixels).permute(0, 3, 2, 1).reshape(n, pixels, 4 * c)
    y = torch.einsum("npt,pot->npo", patches, p["weight"].reshape(pixels, -1, 4 * c))
    y = y + p["bias"].reshape(pixels, -1)
    return y.transpose(1, 2).reshape(n, -1, x.shape[2] - 1, x.shape[3] - 1)


row("locally_connected2d", it("locally_connected2d", out_channels=3, kernel=2), [2, 2, 3, 4],
    {"it.weight": [18, 8], "it.bias": [18]}, unshared)
row("conv1d", it("conv1d", out_channels=3, kernel=3, dilation=2, stride=2), [2, 2, 1, 11],
    {"it.weight": [3, 2, 1, 3], "it.bias": [3]},
    lambda x, p: F.conv1d(x[:, :, 0], p["weight"][:, :, 0], p["bias"], 2, dilation=2)[:, :, None])


def volume(x, p):
    n, _, h, w = x.shape
    x = x.reshape(n, 4, 2, h, w).transpose(1, 2)
    return F.conv3d(x, p["weight"], p["bias"], padding=1).transpose(1, 2).reshape(n, 12, h, w)


row("conv3d", it("conv3d", out_channels=3, depth=4, padding="same"), [1, 8, 3, 3],
    {"it.weight": [3, 2, 3, 3, 3], "it.bias": [3]}, volume)


def recurrent(x, p):
    fed = F.conv2d(x, p["weight"], p["bias"], padding=1)
    state = F.local_response_norm(F.relu(fed), 1, 0.001, 0.75, 1.0)
    for _ in range(2):
        total = fed + F.conv2d(state, p["recurrent_weight"], padding=1)
        state = F.local_response_norm(F.relu(total), 1, 0.001, 0.75, 1.0)
    return state


row("recurrent_conv2d", it("recurrent_conv2d", out_channels=3, steps=2), [1, 2, 3, 4],
    {"it.weight": [3, 2, 3, 3], "it.recurrent_weight": [3, 3, 3, 3], "it.bias": [3]}, recurrent)

row("upsample2d nearest", it("upsample2d", factor=3), [1, 2, 2, 3], {},
    lambda x, p: F.interpolate(x, scale_factor=3, mode="nearest"))
for factor in (2, 3):
    row(f"upsample2d bilinear {factor}", it("upsample2d", factor=factor, mode="bilinear"), [1, 2, 2, 3], {},
        lambda x, p, f=factor: F.interpolate(x, scale_factor=f, mode="bilinear", align_corners=False))
row("max_pool2d overlapping, up", it("max_pool2d", size=3, stride=2, ceil=True), [1, 2, 6, 7], {},
    lambda x, p: F.max_pool2d(x, 3, 2, ceil_mode=True))

row("avg_pool2d without padding", it("avg_pool2d", size=3, stride=2, padding=1, count_include_pad=False), [2, 2, 5, 4],
    {}, lambda x, p: F.avg_pool2d(x, 3, 2, 1, count_include_pad=False))


def unpooled(x, p):
    y, where = F.max_pool2d(x, 2, return_indices=True)
    return F.max_unpool2d(y, where, 2)


row("max_unpool2d", [{"id": "half", "kind": "max_pool2d"},
                     {"id": "it", "kind": "max_unpool2d", "inputs": ["half", "input"]}], [1, 2, 4, 6], {}, unpooled)
# As wide as the batch, where a gate could be misread.
row("scale_channels", [{"id": "mean", "kind": "global_avg_pool2d"},
                       {"id": "it", "kind": "scale_channels", "inputs": ["input", "mean"]}], [3, 2, 4, 3], {},
    lambda x, p: x * x.mean((2, 3), keepdim=True))
row("multiply", [{"id": "act", "kind": "tanh"}, {"id": "it", "kind": "multiply", "inputs": ["input", "act"]}], MAPS,
    {}, lambda x, p: x * torch.tanh(x))


def attention(x, p):
    n, c, h, w = x.shape
    tokens = x.flatten(2).permute(2, 0, 1)
    y, _ = F.multi_head_attention_forward(
        tokens, tokens, tokens, c, 2, p["in_proj_weight"], p["in_proj_bias"], None, None, False, 0.0,
        p["out_proj.weight"], p["out_proj.bias"], need_weights=False)
    return y.permute(1, 2, 0).reshape(n, c, h, w)


row("multi_head_attention", it("multi_head_attention"), [2, 6, 2, 3],
    {"it.in_proj_weight": [18, 6], "it.in_proj_bias": [18], "it.out_proj.weight": [6, 6], "it.out_proj.bias": [6]},
    attention)
row("position_embedding", it("position_embedding"), [2, 3, 2, 2], {"it.weight": [3, 2, 2]},
    lambda x, p: x + p["weight"])


def pooled(x, p):
    tokens = x.flatten(2).transpose(1, 2)
    weights = F.softmax(F.linear(tokens, p["weight"], p["bias"]), 1)
    return (weights.transpose(1, 2) @ tokens).squeeze(1)


row("seq_pool", it("seq_pool"), [2, 3, 2, 3], {"it.weight": [1, 3], "it.bias": [1]}, pooled)

TURN, MIRROR = np.array([[0, -1], [1, 0]]), np.array([[1, 0], [0, -1]])


def element(g):
    """Element `m * 4 + r` as a matrix."""
    return np.linalg.matrix_power(TURN, g % 4) @ np.linalg.matrix_power(MIRROR, g // 4)


def filters(weight, g, order, on_group):
    """The filters of element `g`: their pixels moved by it, and the blocks that they see."""
    if on_group:
        inverse = np.linalg.inv(element(g)).round().astype(int)
        found = [next(k for k in range(order) if (element(k) == inverse @ element(h)).all()) for h in range(order)]
        weight = torch.cat([weight[:, :, k] for k in found], 1)
    return torch.rot90(weight.flip(-1) if g >= 4 else weight, g % 4, (-2, -1))


def group_conv(x, weight, bias, order, on_group):
    return torch.cat([F.conv2d(x, filters(weight, g, order, on_group), bias) for g in range(order)], 1)


for group, order in (("p4", 4), ("p4m", 8)):
    row(f"{group} lifting", it("p4_lifting_conv2d", out_channels=2, group=group), [1, 2, 4, 5],
        {"it.weight": [2, 2, 3, 3], "it.bias": [2]},
        lambda x, p, o=order: group_conv(x, p["weight"], p["bias"], o, False))
    row(f"{group} on the group", it("p4_conv2d", out_channels=2, group=group), [1, 2 * order, 3, 4],
        {"it.weight": [2, 2, order, 3, 3], "it.bias": [2]},
        lambda x, p, o=order: group_conv(x, p["weight"], p["bias"], o, True))
    row(f"{group} pool", it("group_pool", group=group), [1, 3 * order, 2, 2], {},
        lambda x, p, o=order: x.reshape(1, o, 3, 2, 2).max(1).values)

(HERE / "layers.json").write_text("[\n" + ",\n".join(json.dumps(r, separators=(",", ":")) for r in ROWS) + "\n]\n")
