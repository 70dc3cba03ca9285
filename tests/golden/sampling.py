#!/usr/bin/env python3
"""Writes sampling.json: PyTorch's bilinear sampling of `hashed` images at `hashed` positions, in float64.

Run `python sampling.py` with PyTorch 2 and NumPy; tests/augmentation.rs repeats the inputs exactly.
"""

import json
import pathlib

import torch
import torch.nn.functional as F

from hashed import hashed

N, C, H, W = 2, 3, 5, 4
images = torch.tensor(hashed(1, N * H * W * C), dtype=torch.float64).reshape(N, H, W, C)
# Rows and columns from well before the first pixel to well past the last.
positions = torch.tensor(hashed(2, N * H * W * 2) * 4 + 2, dtype=torch.float64).reshape(N, H, W, 2)
grid = torch.stack((positions[..., 1] * 2 / (W - 1) - 1, positions[..., 0] * 2 / (H - 1) - 1), -1)
found = F.grid_sample(images.permute(0, 3, 1, 2), grid, align_corners=True, padding_mode="zeros")
golden = {"shape": [N, H, W, C], "values": [float(f"{v:.9g}") for v in found.permute(0, 2, 3, 1).flatten().tolist()]}
(pathlib.Path(__file__).parent / "sampling.json").write_text(json.dumps(golden) + "\n")
