#!/usr/bin/env python3
"""Writes counts.json beside it: parameters and multiply-adds of the networks of the literature, counted
by PyTorch (its own tensors, its own FLOP counter) on networks from torchvision or written here a second
time. Nothing is computed: everything runs on the meta device. Run `python counts.py` with PyTorch 2 and
torchvision.
"""

import json
import pathlib

import torch
import torchvision.models as tv
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

HERE = pathlib.Path(__file__).parent
rows = []


def count(id, options, model, shape, source):
    model = model.to("meta").eval()
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        model(torch.empty((1, *shape), device="meta"))
    rows.append({"network": id, "options": options, "input": list(shape), "classes": 10 if shape[1] < 64 else 1000,
                 "params": sum(p.numel() for p in model.parameters()), "macs": counter.get_total_flops() // 2,
                 "source": source})
    print(rows[-1])


def tower(c, out, k=3, stride=1, padding=None, groups=1, norm=True, act=True, bias=None):
    padding = k // 2 if padding is None else padding
    layers = [nn.Conv2d(c, out, k, stride, padding, groups=groups, bias=(not norm) if bias is None else bias)]
    layers += [nn.BatchNorm2d(out)] if norm else []
    return nn.Sequential(*layers, *([nn.ReLU()] if act else []))


def plain_conv(c, out, k, stride=1, padding=None, groups=1):
    return tower(c, out, k, stride, padding, groups, norm=False)


def head(features, classes=1000, hidden=4096):
    return [nn.Flatten(), nn.Linear(features, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(),
            nn.Linear(hidden, classes)]


def alexnet(groups, lecture=False):
    pool = nn.MaxPool2d(2, 2) if lecture else nn.MaxPool2d(3, 2)
    return nn.Sequential(
        plain_conv(3, 96, 11, 4, 5 if lecture else 2), pool, plain_conv(96, 256, 5, groups=groups), pool,
        plain_conv(256, 384, 3), plain_conv(384, 384, 3, groups=groups), plain_conv(384, 256, 3, groups=groups), pool,
        *head(256 * (49 if lecture else 36)))


def zfnet():
    pool = nn.MaxPool2d(3, 2, 1)
    return nn.Sequential(plain_conv(3, 96, 7, 2, 1), pool, plain_conv(96, 256, 5, 2, 0), pool, plain_conv(256, 384, 3),
                         plain_conv(384, 384, 3), plain_conv(384, 256, 3), nn.MaxPool2d(3, 2), *head(256 * 36))


class Branches(nn.Module):
    def __init__(self, *branches):
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, x):
        return torch.cat([b(x) for b in self.branches], 1)


def googlenet(aux=False):
    def inception(c, c1, r3, c3, r5, c5, pp):
        return Branches(plain_conv(c, c1, 1), nn.Sequential(plain_conv(c, r3, 1), plain_conv(r3, c3, 3)),
                        nn.Sequential(plain_conv(c, r5, 1), plain_conv(r5, c5, 5)),
                        nn.Sequential(nn.MaxPool2d(3, 1, 1), plain_conv(c, pp, 1)))

    pool = nn.MaxPool2d(3, 2, ceil_mode=True)
    a = nn.Sequential(plain_conv(3, 64, 7, 2, 3), pool, plain_conv(64, 64, 1), plain_conv(64, 192, 3), pool,
                      inception(192, 64, 96, 128, 16, 32, 32), inception(256, 128, 128, 192, 32, 96, 64), pool,
                      inception(480, 192, 96, 208, 16, 48, 64))
    b = nn.Sequential(inception(512, 160, 112, 224, 24, 64, 64), inception(512, 128, 128, 256, 24, 64, 64),
                      inception(512, 112, 144, 288, 32, 64, 64))
    c = nn.Sequential(inception(528, 256, 160, 320, 32, 128, 128), pool, inception(832, 256, 160, 320, 32, 128, 128),
                      inception(832, 384, 192, 384, 48, 128, 128), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1024, 1000))

    def auxiliary(channels):
        return nn.Sequential(nn.AvgPool2d(5, 3), plain_conv(channels, 128, 1), nn.Flatten(), nn.Linear(2048, 1024), nn.ReLU(),
                             nn.Linear(1024, 1000))

    class Whole(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b, self.c = a, b, c
            if aux:
                self.aux1, self.aux2 = auxiliary(512), auxiliary(528)

        def forward(self, x):
            x = self.a(x)
            if aux:
                self.aux1(x)
            x = self.b(x)
            if aux:
                self.aux2(x)
            return self.c(x)

    return Whole()


def bn_inception():
    def module(c, c1, r3, c3, rd, cd, pool, pp):
        return Branches(tower(c, c1, 1), nn.Sequential(tower(c, r3, 1), tower(r3, c3)),
                        nn.Sequential(tower(c, rd, 1), tower(rd, cd), tower(cd, cd)),
                        nn.Sequential(pool(3, 1, 1), tower(c, pp, 1)))

    def reduce(c, r3, c3, rd, cd):
        return Branches(nn.Sequential(tower(c, r3, 1), tower(r3, c3, 3, 2)),
                        nn.Sequential(tower(c, rd, 1), tower(rd, cd), tower(cd, cd, 3, 2)), nn.MaxPool2d(3, 2, 1))

    avg, most = nn.AvgPool2d, nn.MaxPool2d
    pool = nn.MaxPool2d(3, 2, ceil_mode=True)
    return nn.Sequential(
        tower(3, 64, 7, 2, 3), pool, tower(64, 64, 1), tower(64, 192), pool, module(192, 64, 64, 64, 64, 96, avg, 32),
        module(256, 64, 64, 96, 64, 96, avg, 64), reduce(320, 128, 160, 64, 96), module(576, 224, 64, 96, 96, 128, avg, 128),
        module(576, 192, 96, 128, 96, 128, avg, 128), module(576, 160, 128, 160, 128, 160, avg, 128),
        module(608, 96, 128, 192, 160, 192, avg, 128), reduce(608, 128, 192, 192, 256),
        module(1056, 352, 192, 320, 160, 224, avg, 128), module(1024, 352, 192, 320, 192, 224, most, 128),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1024, 1000))


class Gate(nn.Module):
    def __init__(self, c, hidden):
        super().__init__()
        self.net = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(c, hidden), nn.ReLU(), nn.Linear(hidden, c),
                                 nn.Sigmoid())

    def forward(self, x):
        return x * self.net(x)[:, :, None, None]


class Residual(nn.Module):
    """v1 and v1.5 (stride in the 3x3), basic and bottleneck, shortcuts A (zeros) and B (projection), SE."""

    def __init__(self, c, out, stride, bottleneck, on_3x3, zeros, gate):
        super().__init__()
        if bottleneck:
            mid = out // 4
            s1, s3 = (1, stride) if on_3x3 else (stride, 1)
            parts = [tower(c, mid, 1, s1), tower(mid, mid, 3, s3), tower(mid, out, 1, act=False)]
        else:
            parts = [tower(c, out, 3, stride), tower(out, out, act=False)]
        parts += [Gate(out, max(out // gate, 1))] if gate else []
        self.body = nn.Sequential(*parts)
        self.skip = nn.Identity() if zeros or (c == out and stride == 1) else tower(c, out, 1, stride, act=False)
        self.zeros = (stride, out - c) if zeros else None

    def forward(self, x):
        y = self.skip(x)
        if self.zeros:
            stride, more = self.zeros
            y = nn.functional.pad(x[:, :, ::stride, ::stride], (0, 0, 0, 0, more // 2, more - more // 2))
        return torch.relu(self.body(x) + y)


DEPTHS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}


def resnet(depth, on_3x3=False, gate=0):
    bottleneck = depth >= 50
    layers, c = [tower(3, 64, 7, 2), nn.MaxPool2d(3, 2, 1)], 64
    for stage, blocks in enumerate(DEPTHS[depth]):
        out = (64 << stage) * (4 if bottleneck else 1)
        for block in range(blocks):
            layers.append(Residual(c, out, 2 if stage and not block else 1, bottleneck, on_3x3, False, gate))
            c = out
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(c, 1000))


class PreActivation(nn.Module):
    """He et al. 2016 (Identity Mappings): batch norm and ReLU before every convolution."""

    def __init__(self, c, out, stride, bottleneck):
        super().__init__()
        mid = out // 4
        shapes = [(c, mid, 1, stride), (mid, mid, 3, 1), (mid, out, 1, 1)] if bottleneck else [(c, out, 3, stride), (out, out, 3, 1)]
        self.first = nn.Sequential(nn.BatchNorm2d(c), nn.ReLU())
        parts = []
        for i, (a, b, k, s) in enumerate(shapes):
            parts += [nn.BatchNorm2d(a), nn.ReLU()] if i else []
            parts.append(nn.Conv2d(a, b, k, s, k // 2, bias=False))
        self.body = nn.Sequential(*parts)
        self.skip = None if c == out and stride == 1 else nn.Conv2d(c, out, 1, stride, bias=False)

    def forward(self, x):
        y = self.first(x)
        return self.body(y) + (x if self.skip is None else self.skip(y))


def resnet_v2(depth):
    bottleneck = depth >= 50
    layers, c = [nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.MaxPool2d(3, 2, 1)], 64
    for stage, blocks in enumerate(DEPTHS[depth]):
        out = (64 << stage) * (4 if bottleneck else 1)
        for block in range(blocks):
            layers.append(PreActivation(c, out, 2 if stage and not block else 1, bottleneck))
            c = out
    return nn.Sequential(*layers, nn.BatchNorm2d(c), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(c, 1000))


def cifar_resnet(depth, gate=0):
    layers, c = [tower(3, 16)], 16
    for stage, out in enumerate((16, 32, 64)):
        for block in range((depth - 2) // 6):
            layers.append(Residual(c, out, 2 if stage and not block else 1, False, False, True, gate))
            c = out
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


class Grow(nn.Module):
    def __init__(self, c, growth):
        super().__init__()
        self.body = nn.Sequential(nn.BatchNorm2d(c), nn.ReLU(), nn.Conv2d(c, 4 * growth, 1, bias=False),
                                  nn.BatchNorm2d(4 * growth), nn.ReLU(), nn.Conv2d(4 * growth, growth, 3, 1, 1, bias=False))

    def forward(self, x):
        return torch.cat([x, self.body(x)], 1)


def densenet_bc(depth, growth=12):
    c = 2 * growth
    layers = [nn.Conv2d(3, c, 3, 1, 1, bias=False)]
    for block in range(3):
        for _ in range((depth - 4) // 6):
            layers.append(Grow(c, growth))
            c += growth
        if block < 2:
            layers += [nn.BatchNorm2d(c), nn.ReLU(), nn.Conv2d(c, c // 2, 1, bias=False), nn.AvgPool2d(2)]
            c //= 2
    return nn.Sequential(*layers, nn.BatchNorm2d(c), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(c, 10))


def mobilenet_v1():
    layers, c = [tower(3, 32, 3, 2)], 32
    for out, stride in ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *((512, 1),) * 5, (1024, 2), (1024, 1)):
        layers += [tower(c, c, 3, stride, groups=c), tower(c, out, 1)]
        c = out
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(c, 1000))


class MBConv(nn.Module):
    def __init__(self, c, out, k, stride, expansion, gated):
        super().__init__()
        mid = c * expansion
        parts = [tower(c, mid, 1)] if expansion > 1 else []
        parts.append(tower(mid, mid, k, stride, groups=mid))
        parts += [Gate(mid, c // 4)] if gated else []
        self.body = nn.Sequential(*parts, tower(mid, out, 1, act=False))
        self.same = c == out and stride == 1

    def forward(self, x):
        return self.body(x) + x if self.same else self.body(x)


def mnasnet_a1():
    layers = [tower(3, 32, 3, 2), MBConv(32, 16, 3, 1, 1, False)]
    c = 16
    for t, k, gated, out, n, s in ((6, 3, False, 24, 2, 2), (3, 5, True, 40, 3, 2), (6, 3, False, 80, 4, 2),
                                   (6, 3, True, 112, 2, 1), (6, 5, True, 160, 3, 2), (6, 3, False, 320, 1, 1)):
        for i in range(n):
            layers.append(MBConv(c, out, k, 1 if i else s, t, gated))
            c = out
    return nn.Sequential(*layers, tower(c, 1280, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1280, 1000))


def all_cnn_c():
    c = plain_conv
    return nn.Sequential(c(3, 96, 3), c(96, 96, 3), c(96, 96, 3, 2), c(96, 192, 3), c(192, 192, 3), c(192, 192, 3, 2),
                         c(192, 192, 3, 1, 0), c(192, 192, 1), c(192, 10, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten())


class Group(nn.Module):
    """A convolution with each filter in `order` turns: the parameters of one, the arithmetic of all."""

    def __init__(self, c, out, k, stride, padding, order, lift, bias):
        super().__init__()
        seen = c if lift else c * order
        self.weight = nn.Parameter(torch.empty(out, seen, k, k))
        self.bias = nn.Parameter(torch.empty(out)) if bias else None
        self.order, self.stride, self.padding = order, stride, padding

    def forward(self, x):
        return nn.functional.conv2d(x, self.weight.repeat(self.order, 1, 1, 1), None, self.stride, self.padding)


class GroupNorm(nn.Module):
    """Batch norm of one scale and shift for all turns of a map."""

    def __init__(self, c):
        super().__init__()
        self.norm = nn.BatchNorm2d(c)

    def forward(self, x):
        return x


def group_network(order, rows, classes=10):
    """Rows are (ordinary maps, kernel, stride, padding); 0 maps: pooling. The last row has the classes."""
    layers, c, lift = [], rows[0][0], True
    for index, (maps, k, stride, padding) in enumerate(rows[1:]):
        if maps == 0:
            layers.append(nn.MaxPool2d(2))
            continue
        last = index == len(rows) - 2
        out = classes if last else round(maps / order**0.5)
        layers.append(Group(c, out, k, stride, padding, order, lift, last))
        layers += [] if last else [GroupNorm(out), nn.ReLU()]
        c, lift = out, False
    return nn.Sequential(*layers)


def p4cnn(order):
    return group_network(order, [(1,), *((20, 3, 1, 0),) * 2, (0, 0, 0, 0), *((20, 3, 1, 0),) * 4, (20, 4, 1, 0)])


def p4_all_cnn(order):
    return group_network(order, [(3,), (96, 3, 1, 1), (96, 3, 1, 1), (96, 3, 2, 1), (192, 3, 1, 1), (192, 3, 1, 1),
                                 (192, 3, 2, 1), (192, 3, 1, 0), (192, 1, 1, 0), (0.5, 1, 1, 0)])


class Encoder(nn.Module):
    def __init__(self, c, heads):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(c), nn.LayerNorm(c)
        self.qkv, self.out = nn.Linear(c, 3 * c, bias=False), nn.Linear(c, c)
        self.mlp = nn.Sequential(nn.Linear(c, c), nn.GELU(), nn.Linear(c, c))
        self.heads = heads

    def forward(self, x):
        n, t, c = x.shape
        q, k, v = self.qkv(self.norm1(x)).reshape(n, t, 3, self.heads, c // self.heads).permute(2, 0, 3, 1, 4)
        mixed = (q @ k.transpose(-1, -2)).softmax(-1) @ v
        x = self.norm2(x + self.out(mixed.transpose(1, 2).reshape(n, t, c)))
        return x + self.mlp(x)


class CCT(nn.Module):
    def __init__(self, side):
        super().__init__()
        c, pool = 128, nn.MaxPool2d(3, 2, 1)
        self.tokens = nn.Sequential(nn.Conv2d(3, 64, 3, 1, 1, bias=False), nn.ReLU(), pool,
                                    nn.Conv2d(64, c, 3, 1, 1, bias=False), nn.ReLU(), pool)
        self.positions = nn.Parameter(torch.empty(1, (side // 4) ** 2, c))
        self.blocks = nn.Sequential(Encoder(c, 2), Encoder(c, 2), nn.LayerNorm(c))
        self.pool, self.fc = nn.Linear(c, 1), nn.Linear(c, 10)

    def forward(self, x):
        x = self.blocks(self.tokens(x).flatten(2).transpose(1, 2) + self.positions)
        return self.fc((self.pool(x).softmax(1).transpose(-1, -2) @ x).squeeze(-2))


def sep(c, k, stride):
    def half(stride):
        return [nn.ReLU(), nn.Conv2d(c, c, k, stride, k // 2, groups=c, bias=False), nn.Conv2d(c, c, 1, bias=False), nn.BatchNorm2d(c)]

    return nn.Sequential(*half(stride), *half(1))


def operation(name, c, stride):
    if name == "1x7":
        return nn.Sequential(nn.ReLU(), nn.Conv2d(c, c, (1, 7), (1, stride), (0, 3), bias=False),
                             nn.Conv2d(c, c, (7, 1), (stride, 1), (3, 0), bias=False), nn.BatchNorm2d(c))
    if name in ("mean", "max"):
        return (nn.AvgPool2d if name == "mean" else nn.MaxPool2d)(3, stride, 1)
    return nn.Identity() if name == "skip" else sep(c, int(name[3:]), stride)


CELLS = (("mean 0, max 1, sep3 0, sep5 2, sep3 0, mean 3, sep3 1, skip 1, skip 0, mean 1", (4, 5, 6)),
         ("mean 0, sep3 1, max 0, sep7 2, sep7 0, mean 1, max 0, max 1, 1x7 0, sep3 5", (3, 4, 6)))


class Cell(nn.Module):
    def __init__(self, c0, c1, c, reduction, halve):
        super().__init__()
        table, self.ends = CELLS[reduction]
        self.states = [int(entry.split()[1]) for entry in table.split(", ")]
        self.ops = nn.ModuleList(operation(entry.split()[0], c, 2 if reduction and state < 2 else 1)
                                 for entry, state in zip(table.split(", "), self.states))
        self.in0 = nn.Sequential(nn.ReLU(), nn.Conv2d(c0, c, 1, 2 if halve else 1, bias=False), nn.BatchNorm2d(c))
        self.in1 = nn.Sequential(nn.ReLU(), nn.Conv2d(c1, c, 1, bias=False), nn.BatchNorm2d(c))

    def forward(self, a, b):
        states = [self.in0(a), self.in1(b)]
        for i in range(0, 10, 2):
            states.append(self.ops[i](states[self.states[i]]) + self.ops[i + 1](states[self.states[i + 1]]))
        return torch.cat([states[end] for end in self.ends], 1)


class Amoeba(nn.Module):
    def __init__(self, repeats, c):
        super().__init__()
        self.stem, cells = tower(3, 3 * c, act=False), []
        c0 = c1 = 3 * c
        halve = False
        for number in range(1, 3 * repeats + 3):
            reduction = number % (repeats + 1) == 0
            c = 2 * c if reduction else c
            cells.append(Cell(c0, c1, c, reduction, halve))
            c0, c1, halve = c1, 3 * c, reduction
        self.cells, self.fc = nn.ModuleList(cells), nn.Linear(c1, 10)

    def forward(self, x):
        a = b = self.stem(x)
        for cell in self.cells:
            a, b = b, cell(a, b)
        return self.fc(b.mean((2, 3)))


BIG, SMALL = (3, 224, 224), (3, 32, 32)
TV, OWN = "torchvision", "written from the paper in counts.py"
count("alexnet", {"variant": "grouped"}, alexnet(2), BIG, OWN)
count("alexnet", {"variant": "ungrouped"}, alexnet(1), BIG, OWN)
count("alexnet", {"variant": "one-tower"}, tv.alexnet(), BIG, TV)
count("alexnet", {"variant": "lecture"}, alexnet(1, True), BIG, OWN)
count("zfnet", {}, zfnet(), BIG, OWN)
for depth in (11, 13, 16, 19):
    count("vgg", {"depth": str(depth)}, getattr(tv, f"vgg{depth}")(), BIG, TV)
    count("vgg", {"depth": str(depth), "norm": "batch"}, getattr(tv, f"vgg{depth}_bn")(), BIG, f"{TV}, _bn less its biases")
    rows[-1]["params"] -= sum(m.bias.numel() for m in getattr(tv, f"vgg{depth}_bn")().features if isinstance(m, nn.Conv2d))
count("googlenet", {"variant": "paper"}, googlenet(), BIG, OWN)
count("googlenet", {"variant": "paper", "auxiliary": True}, googlenet(True), BIG, OWN)
count("googlenet", {"variant": "torchvision"}, tv.googlenet(aux_logits=False, init_weights=False), BIG, f"{TV}: batch norm, and 3x3 where the paper has 5x5")
count("bn-inception", {}, bn_inception(), BIG, OWN)
for depth in DEPTHS:
    count("resnet", {"depth": str(depth), "version": "v1"}, resnet(depth), BIG, OWN)
    count("resnet", {"depth": str(depth), "version": "v1.5"}, getattr(tv, f"resnet{depth}")(), BIG, TV)
    count("resnet", {"depth": str(depth), "version": "v2"}, resnet_v2(depth), BIG, OWN)
for depth in (50, 101, 152):
    count("se-resnet", {"depth": str(depth)}, resnet(depth, gate=16), BIG, OWN)
for depth in (8, 14, 20, 32, 44, 56, 110):
    count("resnet20", {"depth": str(depth)}, cifar_resnet(depth), SMALL, OWN)
count("se-resnet20", {}, cifar_resnet(20, 16), SMALL, OWN)
for depth in (121, 169, 201, 161):
    count("densenet", {"depth": str(depth)}, getattr(tv, f"densenet{depth}")(), BIG, TV)
for depth in (22, 40, 100):
    count("densenet-bc", {"depth": depth}, densenet_bc(depth), SMALL, OWN)
count("mobilenet-v1", {}, mobilenet_v1(), BIG, OWN)
count("mobilenet-v2", {}, tv.mobilenet_v2(), BIG, TV)
count("mnasnet", {"variant": "A1"}, mnasnet_a1(), BIG, OWN)
count("mnasnet", {"variant": "B1"}, tv.mnasnet1_0(), BIG, TV)
SIDES = (224, 240, 260, 300, 380, 456, 528, 600)
for phi, side in enumerate(SIDES):
    count("efficientnet", {"scale": f"B{phi}"}, getattr(tv, f"efficientnet_b{phi}")(), (3, side, side), TV)
count("all-cnn-c", {}, all_cnn_c(), SMALL, OWN)
for group, order in (("z2", 1), ("p4", 4), ("p4m", 8)):
    count("p4cnn", {"group": group}, p4cnn(order), (1, 28, 28), OWN)
    count("p4-all-cnn", {"group": group}, p4_all_cnn(order), SMALL, OWN)
count("cct-2-3x2", {}, CCT(32), SMALL, OWN)
count("amoebanet-a", {}, Amoeba(6, 36), SMALL, "the cells of quark0/darts' AmoebaNet genotype, stacked in counts.py")
(HERE / "counts.json").write_text("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n")
