#!/usr/bin/env python3
"""Writes a golden file for each family of the zoo, as generate.py does: logits, loss, and of each gradient
its sum, its norm and six entries. Parameters are asked for in the order in which convscope declares them.
Run `python families.py` with PyTorch 2 and NumPy.
"""

import torch
import torch.nn.functional as F

from generate import golden


def none(x):
    return x


def block(net, x, id, out, kernel=3, stride=1, groups=1, norm=True, act=F.relu, part="", last=False):
    """Convolution, batch norm, nonlinearity; in a larger block the parts are named `<id>_conv<part>`."""
    x = net.conv(x, f"{id}_conv{part}", out, kernel, stride, kernel // 2, not norm, groups=groups)
    return act(net.norm(x, id if last else f"{id}_bn{part}") if norm else x)


def classify(net, x):
    return net.dense(x.mean((2, 3)), "fc", 10)


def mini_alexnet(beginning):
    def forward(net, x):
        for number, out in enumerate((48, 96, 128, 128, 96), 1):
            kernel, stride = beginning[number - 1] if number < 3 else (3, 1)
            x = block(net, x, f"conv{number}", out, kernel, stride, norm=False)
            if number < 3:
                x = F.local_response_norm(x, 5, 5e-4, 0.75, 2.0)
            if number in (1, 2, 5):
                x = F.max_pool2d(x, 3, 2, 1)
        x = torch.flatten(x, 1)
        for id, units in (("fc6", 384), ("fc7", 192)):
            x = F.relu(net.dense(x, id, units))
        return net.dense(x, "fc8", 10)

    return forward


def separable(net, x, id, out, stride=1):
    x = block(net, x, id, x.shape[1], 3, stride, x.shape[1], part="_depthwise")
    return block(net, x, id, out, 1, part="_pointwise")


def separable_vgg(net, x):
    for stage, (parts, out) in enumerate(((1, 32), (2, 64), (2, 128)), 1):
        x = x if stage == 1 else F.max_pool2d(x, 2)
        for part in range(1, parts + 1):
            id = f"block{stage}_{part}"
            x = block(net, x, id, out) if stage == 1 else separable(net, x, id, out)
    return classify(net, x)


def mini_inception(norm):
    def module(net, x, id, c1, r3, c3, r5, c5, pp):
        def conv(x, part, out, kernel):
            return block(net, x, id, out, kernel, norm=norm, part=f"_{part}")

        ends = [conv(x, "1x1", c1, 1), conv(conv(x, "3x3_reduce", r3, 1), "3x3", c3, 3)]
        y = conv(x, "5x5_reduce", r5, 1)
        ends.append(conv(conv(y, "double1", c5, 3), "double2", c5, 3) if norm else conv(y, "5x5", c5, 5))
        ends.append(conv(F.max_pool2d(x, 3, 1, 1), "pool_proj", pp, 1))
        return torch.cat(ends, 1)

    def forward(net, x):
        x = F.max_pool2d(block(net, x, "stem", 32, norm=norm), 3, 2, 1)
        x = module(net, x, "inception_a", 16, 16, 32, 4, 8, 8)
        x = F.max_pool2d(module(net, x, "inception_b", 32, 32, 48, 8, 24, 16), 3, 2, 1)
        x = module(net, x, "inception_c", 48, 32, 64, 8, 24, 24)
        return classify(net, module(net, x, "inception_d", 64, 32, 64, 8, 24, 24))

    return forward


def gate(net, x, id, reduced, act=F.relu):
    y = act(net.dense(x.mean((2, 3)), f"{id}_se_fc1", reduced))
    return x * torch.sigmoid(net.dense(y, f"{id}_se_fc2", x.shape[1]))[:, :, None, None]


def cifar_v1(shortcuts, reduction):
    def forward(net, x):
        x = block(net, x, "stem", 16)
        for stage, out in enumerate((16, 32, 64), 1):
            id, stride = f"stage{stage}_1", 2 if stage > 1 else 1
            y = block(net, x, id, out, stride=stride, part="1")
            y = block(net, y, id, out, act=none, part="2")
            if reduction:
                y = gate(net, y, id, max(out // reduction, 1))
            if shortcuts:
                more = (out - x.shape[1]) // 2
                y = y + F.pad(x[:, :, ::stride, ::stride], (0, 0, 0, 0, more, more))
            x = F.relu(y)
        return classify(net, x)

    return forward


def cifar_v2(net, x):
    x = net.conv(x, "stem", 16, 3, 1, 1, False)
    for stage, out in enumerate((16, 32, 64), 1):
        id, stride = f"stage{stage}_1", 2 if stage > 1 else 1
        y = F.relu(net.norm(x, f"{id}_bn1"))
        z = net.conv(y, f"{id}_conv1", out, 3, stride, 1, False)
        z = net.conv(F.relu(net.norm(z, f"{id}_bn2")), f"{id}_conv2", out, 3, 1, 1, False)
        x = z + (net.conv(y, f"{id}_shortcut", out, 1, stride, 0, False) if stage > 1 else x)
    return classify(net, F.relu(net.norm(x, "last_norm")))


def densenet(net, x):
    x = net.conv(x, "stem", 24, 3, 1, 1, False)
    for number in (1, 2, 3):
        id = f"block{number}"
        for layer in (1, 2):
            y = net.conv(F.relu(net.norm(x, f"{id}_bn{layer}_1")), f"{id}_conv{layer}_1", 48, 1, bias=False)
            y = net.conv(F.relu(net.norm(y, f"{id}_bn{layer}_2")), f"{id}_conv{layer}_2", 12, 3, 1, 1, False)
            x = torch.cat([x, y], 1)
        if number < 3:
            id = f"transition{number}"
            x = net.conv(F.relu(net.norm(x, f"{id}_bn")), f"{id}_conv", x.shape[1] // 2, 1, bias=False)
            x = F.avg_pool2d(x, 2)
    return classify(net, F.relu(net.norm(x, "last_norm")))


def mini_mobilenet_v1(net, x):
    x = block(net, x, "stem", 16)
    rows = ((32, 1), (64, 2), (64, 1), (128, 2), (128, 1), (128, 1), (128, 1))
    for number, (out, stride) in enumerate(rows, 1):
        x = separable(net, x, f"separable{number}", out, stride)
    return classify(net, x)


def inverted(stem, stages, last, act):
    """Stages are (expansion, kernel, gated, maps, blocks, stride)."""

    def forward(net, x):
        x = block(net, x, "stem", stem, act=act)
        for stage, (expansion, kernel, gated, out, blocks, first) in enumerate(stages, 1):
            for number in range(1, blocks + 1):
                id, stride, before = f"stage{stage}_{number}", first if number == 1 else 1, x
                inside = x.shape[1] * expansion
                if expansion > 1:
                    x = block(net, x, id, inside, 1, act=act, part="_expand")
                x = block(net, x, id, inside, kernel, stride, inside, act=act, part="_depthwise")
                if gated:
                    x = gate(net, x, id, max(before.shape[1] // 4, 1), act)
                around = stride == 1 and before.shape[1] == out
                x = net.conv(x, f"{id}_project", out, 1, bias=False)
                x = net.norm(x, f"{id}_bn_project" if around else id)
                x = x + before if around else x
        return classify(net, block(net, x, "last", last, 1, act=act))

    return forward


def mini_all_cnn(net, x):
    rows = ((32, 3, 1, 1), (32, 3, 1, 1), (32, 3, 2, 1), (64, 3, 1, 1), (64, 3, 1, 1), (64, 3, 2, 1), (64, 3, 1, 0),
            (64, 1, 1, 0))
    for number, (out, kernel, stride, padding) in enumerate(rows, 1):
        x = F.relu(net.norm(net.conv(x, f"conv{number}_conv", out, kernel, stride, padding, False), f"conv{number}_bn"))
    return net.conv(x, "conv9", 10, 1).mean((2, 3))


def turned(weight):
    """A p4 filter bank from one filter each, [out, in, k, k] or over the turns of each input [out, in, 4, k, k]: element
    r is the filter turned by r quarters counterclockwise, which sees element s of its input where the filter itself
    sees s - r."""
    k = weight.shape[-1]
    split = weight.transpose(1, 2) if weight.dim() == 5 else weight.unsqueeze(1)
    bank = [torch.rot90(torch.roll(split, r, 1), r, (3, 4)) for r in range(4)]
    return torch.cat(bank).reshape(4 * weight.shape[0], -1, k, k)


def p4cnn(net, x):
    for layer in range(1, 8):
        out, k = (10, 3) if layer < 7 else (10, 4)
        seen = (x.shape[1],) if layer == 1 else (x.shape[1] // 4, 4)
        weight = net.get(f"conv{layer}.weight", (out, *seen, k, k))
        x = F.conv2d(x, turned(weight))
        if layer == 7:
            x = x + net.get("conv7.bias", (out,)).repeat(4).reshape(1, -1, 1, 1)
            break
        n, _, h, w = x.shape
        # One normalization for the four turns of a map.
        columns = x.reshape(n, 4, out, h, w).transpose(1, 2).reshape(n, out, 4 * h, w)
        columns = net.norm(columns, f"conv{layer}_bn")
        x = F.relu(columns.reshape(n, out, 4, h, w).transpose(1, 2).reshape(n, 4 * out, h, w))
        x = F.max_pool2d(x, 2) if layer == 2 else x
    return x.reshape(x.shape[0], 4, 10, *x.shape[2:]).amax(1).mean((2, 3))


def cct(net, x):
    for number, out in ((1, 64), (2, 128)):
        x = F.max_pool2d(F.relu(net.conv(x, f"conv{number}", out, 3, 1, 1, False)), 3, 2, 1)
    n, c, h, w = x.shape
    x = x + net.get("positions.weight", (c, h, w))
    x = x.flatten(2).transpose(1, 2)

    def norm(x, id):
        return F.layer_norm(x, (c,), net.get(f"{id}.weight", (c,)), net.get(f"{id}.bias", (c,)), 1e-5)

    def at_pixels(x, id):
        weight = net.get(f"{id}.weight", (c, c, 1, 1)).reshape(c, c)
        return F.linear(x, weight, net.get(f"{id}.bias", (c,)))

    for block in ("block1", "block2"):
        y = norm(x, f"{block}_norm1")
        qkv = F.linear(y, net.get(f"{block}_attention.in_proj_weight", (3 * c, c)))
        q, k, v = qkv.reshape(n, h * w, 3, 2, c // 2).permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(n, h * w, c)
        id = f"{block}_attention.out_proj"
        x = norm(x + F.linear(y, net.get(f"{id}.weight", (c, c)), net.get(f"{id}.bias", (c,))), f"{block}_norm2")
        x = x + at_pixels(F.gelu(at_pixels(x, f"{block}_fc1")), f"{block}_fc2")
    x = norm(x, "norm")
    scores = F.linear(x, net.get("pool.weight", (1, c)), net.get("pool.bias", (1,)))
    return net.dense((x * scores.softmax(1)).sum(1), "fc", 10)


NORMAL = ("mean 0, max 1, sep3 0, sep5 2, sep3 0, mean 3, sep3 1, skip 1, skip 0, mean 1", (4, 5, 6))
REDUCTION = ("mean 0, sep3 1, max 0, sep7 2, sep7 0, mean 1, max 0, max 1, 1x7 0, sep3 5", (3, 4, 6))


def amoebanet(repeats, maps):
    def conv(net, x, id, out, stride=1):
        return net.norm(net.conv(F.relu(x), f"{id}_conv", out, 1, stride, 0, False), f"{id}_bn")

    def separable(net, x, id, kernel, out, stride):
        for number in (1, 2):
            x = net.conv(F.relu(x), f"{id}_depthwise{number}", x.shape[1], kernel, stride, kernel // 2, False, groups=x.shape[1])
            x, stride = net.norm(net.conv(x, f"{id}_pointwise{number}", out, 1, bias=False), f"{id}_bn{number}"), 1
        return x

    def operate(net, name, x, id, out, stride):
        if name == "mean":
            return F.avg_pool2d(x, 3, stride, 1)
        if name == "max":
            return F.max_pool2d(x, 3, stride, 1)
        if name == "skip":
            return x
        if name == "1x7":
            lying = net.get(f"{id}_1x7.weight", (out, x.shape[1], 1, 7))
            x = F.conv2d(F.relu(x), lying, None, (1, stride), (0, 3))
            return net.norm(F.conv2d(x, net.get(f"{id}_7x1.weight", (out, out, 7, 1)), None, (stride, 1), (3, 0)), id)
        return separable(net, x, id, int(name[3:]), out, stride)

    def forward(net, x):
        out = maps
        x = net.norm(net.conv(x, "stem_conv", 3 * out, 3, 1, 1, False), "stem")
        before, halve = (x, x), False
        for number in range(1, 3 * repeats + 3):
            reduction = number % (repeats + 1) == 0
            out = 2 * out if reduction else out
            id = f"cell{number}"
            states = [conv(net, before[0], f"{id}_in0", out, 2 if halve else 1), conv(net, before[1], f"{id}_in1", out)]
            table, ends = REDUCTION if reduction else NORMAL
            pairs = [entry.split() for entry in table.split(", ")]
            for pair in range(5):
                ends_of_pair = []
                for side, (name, state) in zip("ab", pairs[2 * pair:2 * pair + 2]):
                    stride = 2 if reduction and int(state) < 2 else 1
                    ends_of_pair.append(operate(net, name, states[int(state)], f"{id}_{pair + 1}{side}", out, stride))
                states.append(ends_of_pair[0] + ends_of_pair[1])
            before, halve = (before[1], torch.cat([states[i] for i in ends], 1)), reduction
        return classify(net, before[1])

    return forward


SMALL = (4, 3, 16, 16)


def family(id, options, forward, shape=SMALL):
    name = "-".join([id, *(str(value) for value in options.values() if not isinstance(value, float))])
    golden(name, id, options, forward, shape, most=6)


if __name__ == "__main__":
    family("mini-alexnet", {"dropout": 0.0}, mini_alexnet(((5, 2), (5, 1))))
    family("mini-zfnet", {"dropout": 0.0}, mini_alexnet(((3, 1), (5, 2))))
    family("mini-vgg", {"depth": 6, "convolution": "separable"}, separable_vgg)
    family("mini-googlenet", {}, mini_inception(False))
    family("mini-bn-inception", {}, mini_inception(True))
    family("resnet20", {"depth": "8", "version": "v2", "shortcut": "projection"}, cifar_v2)
    family("plain20", {"depth": "8"}, cifar_v1(False, 0))
    family("se-resnet20", {"depth": "8"}, cifar_v1(True, 16))
    family("densenet-bc", {"depth": 16}, densenet)
    family("mini-mobilenet-v1", {}, mini_mobilenet_v1)
    family("mini-mobilenet", {}, inverted(16, ((1, 3, False, 8, 1, 1), (6, 3, False, 16, 2, 2), (6, 3, False, 24, 2, 2),
                                               (6, 3, False, 32, 2, 1)), 128, F.relu6))
    family("mini-mnasnet", {}, inverted(16, ((1, 3, False, 8, 1, 1), (6, 3, False, 16, 2, 2), (3, 5, True, 24, 2, 2),
                                             (6, 3, True, 32, 1, 1)), 128, F.relu))
    family("mini-efficientnet", {"dropout": 0.0}, inverted(16, ((1, 3, True, 16, 1, 1), (4, 3, True, 24, 2, 2),
                                                            (4, 5, True, 40, 2, 2)), 160, F.silu))
    family("mini-all-cnn", {}, mini_all_cnn)
    family("p4cnn", {}, p4cnn, (4, 1, 28, 28))
    family("cct-2-3x2", {"dropout": 0.0}, cct)
    family("mini-amoebanet", {"maps": 4}, amoebanet(1, 4))
