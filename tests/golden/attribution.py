#!/usr/bin/env python3
"""Writes attribution.json beside it: what Captum and pytorch-grad-cam say of convscope's networks.

The networks are modules here, in float64, over the formula's parameters (`generate.py`) and one image of
the formula in 0..1. Relevance propagation runs on the network with batch norm fused into the convolutions, as
convscope merges them. Stored are sum, norm and entries of each map [h, w]. Run `python attribution.py` with
PyTorch 2, Captum and grad-cam.
"""

import json
import math

import torch
import torch.nn.functional as F
from captum.attr import (LRP, GuidedBackprop, GuidedGradCam, InputXGradient, IntegratedGradients, LayerAttribution,
                         LayerGradCam, Occlusion, Saliency)
from captum.attr._utils.custom_modules import Addition_Module
from captum.attr._utils.lrp_rules import Alpha1_Beta0_Rule, EpsilonRule
from pytorch_grad_cam import GradCAMPlusPlus
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from generate import HERE, initial, summary
from hashed import hashed

EPSILON, STEPS, PATCH, STRIDE = 0.05, 16, 5, 3


class LeNet5(nn.Module):
    layer = "act2"

    def __init__(self):
        super().__init__()
        self.conv1, self.act1, self.pool1 = nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)
        self.conv2, self.act2, self.pool2 = nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2)
        self.fc1, self.act3 = nn.Linear(400, 120), nn.ReLU()
        self.fc2, self.act4 = nn.Linear(120, 84), nn.ReLU()
        self.fc3 = nn.Linear(84, 10)

    def forward(self, x):
        x = self.pool1(self.act1(self.conv1(x)))
        x = torch.flatten(self.pool2(self.act2(self.conv2(x))), 1)
        return self.fc3(self.act4(self.fc2(self.act3(self.fc1(x)))))


class Net(nn.Module):
    """Convolutions with batch norm, each with its own rectifier."""

    def block(self, conv, bn, relu, i, o, stride=1):
        self.add_module(conv, nn.Conv2d(i, o, 3, stride, 1, bias=False))
        self.add_module(bn, nn.BatchNorm2d(o))
        if relu:
            self.add_module(relu, nn.ReLU())

    def run(self, x, *names):
        for name in names:
            x = getattr(self, name)(x) if hasattr(self, name) else x
        return x

    def head(self, i):
        self.average, self.fc = nn.AdaptiveAvgPool2d(1), nn.Linear(i, 10)

    def end(self, x):
        return self.fc(torch.flatten(self.average(x), 1))


class MiniVgg(Net):
    layer = "block3_2"

    def __init__(self):
        super().__init__()
        before = 3
        for stage, out in enumerate((32, 64, 128), 1):
            for part in (1, 2):
                id = f"block{stage}_{part}"
                self.block(f"{id}_conv", f"{id}_bn", id, before, out)
                before = out
        self.pool1, self.pool2 = nn.MaxPool2d(2), nn.MaxPool2d(2)
        self.head(128)

    def forward(self, x):
        for stage in (1, 2, 3):
            x = x if stage == 1 else self.run(x, f"pool{stage - 1}")
            for part in (1, 2):
                id = f"block{stage}_{part}"
                x = self.run(x, f"{id}_conv", f"{id}_bn", id)
        return self.end(x)


class ResNet20(Net):
    layer = "stage3_3"

    def __init__(self):
        super().__init__()
        self.block("stem_conv", "stem_bn", "stem", 3, 16)
        before = 16
        for stage, out in enumerate((16, 32, 64), 1):
            for block in (1, 2, 3):
                id = f"stage{stage}_{block}"
                self.block(f"{id}_conv1", f"{id}_bn1", f"{id}_relu1", before, out, 2 if stage > 1 and block == 1 else 1)
                self.block(f"{id}_conv2", f"{id}_bn2", None, out, out)
                if stage > 1 and block == 1:
                    # As convscope has it: the mean of one pixel.
                    self.add_module(f"{id}_short", nn.AvgPool2d(1, 2))
                self.add_module(f"{id}_add", Addition_Module())
                self.add_module(id, nn.ReLU())
                before = out
        self.head(64)

    def forward(self, x):
        x = self.run(x, "stem_conv", "stem_bn", "stem")
        for stage, out in enumerate((16, 32, 64), 1):
            for block in (1, 2, 3):
                id, stride = f"stage{stage}_{block}", 2 if stage > 1 and block == 1 else 1
                y = self.run(x, f"{id}_conv1", f"{id}_bn1", f"{id}_relu1", f"{id}_conv2", f"{id}_bn2")
                short = x
                if stride > 1:
                    zeros = (out - x.shape[1]) // 2
                    short = F.pad(getattr(self, f"{id}_short")(x), (0, 0, 0, 0, zeros, zeros))
                x = self.run(getattr(self, f"{id}_add")(y, short), id)
        return self.end(x)


def filled(make, vector):
    """The network over the formula's parameters."""
    net = make().double().eval()
    tensors = dict(net.named_parameters())
    tensors |= {n: t for n, t in net.named_buffers() if "running" in n}
    start = initial(list(tensors), {n: tuple(t.shape) for n, t in tensors.items()}, vector)
    with torch.no_grad():
        for name, tensor in tensors.items():
            tensor.copy_(torch.from_numpy(start[name]))
    return net


def fused(net, rule):
    """The same with batch norm in the convolutions, and the rule for those and dense layers."""
    for name, module in list(net.named_children()):
        if isinstance(module, nn.BatchNorm2d):
            conv = name.replace("_bn", "_conv")
            setattr(net, conv, fuse_conv_bn_eval(getattr(net, conv), module))
            delattr(net, name)
    for module in net.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            module.rule = rule()
        if isinstance(module, (nn.AvgPool2d, nn.AdaptiveAvgPool2d, Addition_Module)):
            module.rule = rule() if rule is epsilon else EpsilonRule(epsilon=1e-9)
        if isinstance(module, nn.MaxPool2d):
            module.rule = EpsilonRule(epsilon=1e-12)
    return net


def epsilon():
    return EpsilonRule(epsilon=EPSILON)


def positive():
    return Alpha1_Beta0_Rule(set_bias_to_zero=True)


def golden(make, shape, label, vector=1.0):
    net = filled(make, vector)
    x = torch.from_numpy((hashed(0, math.prod(shape)).reshape(shape) + 1) / 2).double()
    x.requires_grad_()
    layer = getattr(net, net.layer)
    added = lambda map: map.sum(1)[0]
    cam = LayerGradCam(net, layer).attribute(x, label, relu_attributions=True)
    certainty = lambda x: torch.softmax(net(x), 1)
    maps = {
        "saliency": Saliency(net).attribute(x, label).amax(1)[0],
        "gradient-x-input": added(InputXGradient(net).attribute(x, label)),
        "integrated-gradients": added(
            IntegratedGradients(net).attribute(x, 0.0 * x, label, n_steps=STEPS, method="riemann_middle")),
        "grad-cam": LayerAttribution.interpolate(cam, shape[2:], "bilinear")[0, 0],
        "occlusion": added(
            Occlusion(certainty).attribute(x, (shape[1], PATCH, PATCH), (shape[1], STRIDE, STRIDE), 0.5, label)
        ) / shape[1],
        "guided-backpropagation": added(GuidedBackprop(net).attribute(x, label)),
        "guided-grad-cam": added(
            GuidedGradCam(net, layer).attribute(x, label, interpolate_mode="bilinear")),
    }
    with GradCAMPlusPlus(net, [layer]) as plus:
        maps["grad-cam-plus-plus"] = torch.from_numpy(plus(x, [ClassifierOutputTarget(label)])[0]).double()
    relevance = lambda rule: added(LRP(fused(filled(make, vector), rule)).attribute(x, label))
    maps["relevance-propagation"] = relevance(epsilon)
    if make is not ResNet20:  # its sums of both signs have no positive part to share out
        maps["relevance-propagation z+"] = relevance(positive)
    print(make.__name__, certainty(x).max(1), {name: round(map.norm().item(), 4) for name, map in maps.items()})
    return {"input": list(shape[1:]), "layer": net.layer, "class": label, "vector": vector,
            "logits": net(x).detach().flatten().tolist(), "maps": {n: summary(m) for n, m in maps.items()}}


if __name__ == "__main__":
    result = {"epsilon": EPSILON, "steps": STEPS, "patch": PATCH, "stride": STRIDE, "networks": {
        "lenet5": golden(LeNet5, (1, 1, 28, 28), 3),
        "mini-vgg": golden(MiniVgg, (1, 3, 16, 16), 5),
        "resnet20": golden(ResNet20, (1, 3, 16, 16), 7, 0.5),
    }}
    (HERE / "attribution.json").write_text(json.dumps(result) + "\n")
