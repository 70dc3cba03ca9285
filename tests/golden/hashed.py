"""The numbers that the generators and the tests both compute exactly."""

import numpy as np


def hashed(stream, count):
    """`count` numbers in -1..1 on a grid of 2^-23, from the integer hash lowbias32."""
    x = (np.arange(count, dtype=np.uint64) + np.uint64(stream) * np.uint64(0x9E3779B9)) & np.uint64(0xFFFFFFFF)
    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B), (16, 1)):
        x ^= x >> np.uint64(shift)
        x = (x * np.uint64(factor)) & np.uint64(0xFFFFFFFF)
    return ((x >> np.uint64(8)).astype(np.float64) / 2**23 - 1.0).astype(np.float32)
