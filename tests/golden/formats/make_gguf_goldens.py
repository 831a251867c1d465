#!/usr/bin/python3
"""Writes quantised.gguf and quantised_expected.safetensors with numpy, from the descriptions of the formats alone.

    python3 make_gguf_goldens.py

The GGUF file has metadata of every type and a tensor of every type that Inlay reads, of random blocks. Expected are
the values of these tensors, and of a random weight what quantising it gives: bytes of the formats of files, values of
the others. All arithmetic is float32, one rounding for each operation, so values can be compared bit for bit.
"""

import json
import pathlib
import struct

import numpy as np

here = pathlib.Path(__file__).parent
random = np.random.RandomState(20)
f32 = np.float32


def text(value):
    data = value.encode()
    return struct.pack("<Q", len(data)) + data


# number and struct code of each type of metadata
SCALARS = {"u8": (0, "B"), "i8": (1, "b"), "u16": (2, "H"), "i16": (3, "h"), "u32": (4, "I"), "i32": (5, "i"),
           "f32": (6, "f"), "bool": (7, "?"), "u64": (10, "Q"), "i64": (11, "q"), "f64": (12, "d")}


def entry(key, kind, value):
    if kind == "string":
        return text(key) + struct.pack("<I", 8) + text(value)
    number, code = SCALARS.get(kind, (8, None))
    if isinstance(value, list):
        head = text(key) + struct.pack("<IIQ", 9, number, len(value))
        return head + b"".join(text(v) if code is None else struct.pack("<" + code, v) for v in value)
    return text(key) + struct.pack("<I", number) + struct.pack("<" + code, value)


def halves(count):
    """Scales of all sizes, subnormal ones among them."""
    return (random.randn(count) * 10.0 ** random.randint(-7, 1, count)).astype(np.float16)


def random_bytes(*shape):
    return random.randint(0, 256, shape).astype(np.uint8)


def q8_0(blocks):
    d, q = halves(blocks), random.randint(-128, 128, (blocks, 32)).astype(np.int8)
    data = b"".join(d[b].tobytes() + q[b].tobytes() for b in range(blocks))
    return data, d.astype(f32)[:, None] * q.astype(f32)


def q4_0(blocks):
    d, q = halves(blocks), random_bytes(blocks, 16)
    data = b"".join(d[b].tobytes() + q[b].tobytes() for b in range(blocks))
    steps = np.concatenate([q & 15, q >> 4], axis=1).astype(f32) - f32(8)
    return data, d.astype(f32)[:, None] * steps


def k_blocks(blocks, fifth):
    """Q4_K, or Q5_K with a fifth bit."""
    data, values = b"", np.zeros((blocks, 256), f32)
    for b in range(blocks):
        (d, dmin), scales, q = halves(2), random_bytes(12), random_bytes(128)
        high = random_bytes(32) if fifth else np.zeros(0, np.uint8)
        data += d.tobytes() + dmin.tobytes() + scales.tobytes() + high.tobytes() + q.tobytes()
        s = [int(x) for x in scales]
        for j in range(8):
            if j < 4:
                scale, minimum = s[j] & 63, s[j + 4] & 63
            else:
                scale = (s[j + 4] & 15) | (s[j - 4] >> 6) << 4
                minimum = (s[j + 4] >> 4) | (s[j] >> 6) << 4
            part = q[32 * (j // 2):32 * (j // 2) + 32]
            steps = (part & 15 if j % 2 == 0 else part >> 4).astype(f32)
            if fifth:
                steps += f32(16) * (high >> j & 1).astype(f32)
            values[b, 32 * j:32 * j + 32] = (f32(d) * f32(scale)) * steps - f32(dmin) * f32(minimum)
    return data, values


def q5_0(blocks):
    data, values = b"", np.zeros((blocks, 32), f32)
    for b in range(blocks):
        d, high, q = halves(1)[0], int(random.randint(0, 2**32, dtype=np.uint64)), random_bytes(16)
        data += d.tobytes() + struct.pack("<I", high) + q.tobytes()
        low = np.concatenate([q & 15, q >> 4]).astype(int)
        top = np.array([high >> i & 1 for i in range(32)])
        values[b] = f32(d) * (low + 16 * top - 16).astype(f32)
    return data, values


def q6_k(blocks):
    data, values = b"", np.zeros((blocks, 256), f32)
    for b in range(blocks):
        low, high, scales = random_bytes(128), random_bytes(64), random.randint(-128, 128, 16).astype(np.int8)
        d = halves(1)[0]
        data += low.tobytes() + high.tobytes() + scales.tobytes() + d.tobytes()
        for half in range(2):
            l, h = low[64 * half:64 * half + 64].astype(int), high[32 * half:32 * half + 32].astype(int)
            groups = [
                (l[:32] & 15) | ((h & 3) << 4),
                (l[32:] & 15) | (((h >> 2) & 3) << 4),
                (l[:32] >> 4) | (((h >> 4) & 3) << 4),
                (l[32:] >> 4) | ((h >> 6) << 4),
            ]
            q = np.concatenate(groups) - 32
            s = np.repeat(scales[8 * half:8 * half + 8].astype(f32), 16)
            values[b, 128 * half:128 * half + 128] = (f32(d) * s) * q.astype(f32)
    return data, values


def bf16(values):
    """Of values whose lower halves are zero."""
    return (values.view(np.uint32) >> 16).astype(np.uint16)


def tensors():
    plain = (random.randn(3, 5) * 4).astype(f32)
    half = plain.astype(np.float16)
    brain = (plain.view(np.uint32) & np.uint32(0xFFFF0000)).view(f32)
    yield "plain.f32", 0, plain.shape, plain.tobytes(), plain
    yield "plain.f16", 1, half.shape, half.tobytes(), half.astype(f32)
    yield "plain.bf16", 30, brain.shape, bf16(brain).tobytes(), brain
    for name, number, shape, (data, values) in [
        ("q8_0", 8, (5, 96), q8_0(15)),
        ("q4_0", 2, (5, 96), q4_0(15)),
        ("q4_k", 12, (2, 512), k_blocks(4, False)),
        ("q5_0", 6, (5, 96), q5_0(15)),
        ("q5_k", 13, (2, 512), k_blocks(4, True)),
        ("q6_k", 14, (2, 512), q6_k(4)),
        ("stacked", 8, (2, 3, 32), q8_0(6)),
    ]:
        yield f"block.{name}", number, shape, data, values.reshape(shape)


def gguf(all_tensors):
    entries = [
        entry("general.architecture", "string", "golden"),
        entry("general.alignment", "u32", 64),
        entry("unsigned.8", "u8", 255), entry("signed.8", "i8", -128),
        entry("unsigned.16", "u16", 65535), entry("signed.16", "i16", -32768),
        entry("unsigned.32", "u32", 4294967295), entry("signed.32", "i32", -2147483648),
        entry("unsigned.64", "u64", 2**64 - 1), entry("signed.64", "i64", -(2**63)),
        entry("float.32", "f32", 0.1), entry("float.64", "f64", 0.1),
        entry("yes", "bool", True), entry("no", "bool", False), entry("empty", "string", ""),
        entry("tokens", "string_array", ["<s>", "", "Ġthe", "日本"]),
        entry("scores", "f32", [0.5, -1.5]), entry("ids", "i32", [-1, 7]), entry("wide", "u64", [1, 2**40]),
        entry("flags", "bool", [True, False, True]), entry("nothing", "i32", []),
    ]
    infos, data = b"", b""
    for name, number, shape, values, _ in all_tensors:
        infos += text(name) + struct.pack("<I", len(shape)) + struct.pack(f"<{len(shape)}Q", *shape[::-1])
        infos += struct.pack("<IQ", number, len(data))
        data += values + bytes(-len(values) % 64)
    head = b"GGUF" + struct.pack("<IQQ", 3, len(all_tensors), len(entries)) + b"".join(entries) + infos
    return head + bytes(-len(head) % 64) + data


def encode_q8_0(weight):
    data = b""
    for block in weight.reshape(-1, 32):
        d = np.float16(np.abs(block).max() / f32(127))
        q = np.clip(np.rint(block / f32(d)), -127, 127).astype(np.int8)
        data += d.tobytes() + q.tobytes()
    return np.frombuffer(data, np.uint8)


def encode_q4_0(weight):
    data = b""
    for block in weight.reshape(-1, 32):
        d = np.float16(block[np.abs(block).argmax()] / f32(-8))
        q = np.clip(np.rint(block / f32(d)) + 8, 0, 15).astype(np.uint8)
        data += d.tobytes() + (q[:16] | q[16:] << 4).tobytes()
    return np.frombuffer(data, np.uint8)


def int8_values(weight):
    scale = np.abs(weight).max(axis=1, keepdims=True) / f32(127)
    return scale * np.rint(weight / scale).astype(np.int8).astype(f32)


NF4 = np.array([-1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635,
                -0.18477343022823334, -0.09105003625154495, 0.0, 0.07958029955625534, 0.16093020141124725,
                0.24611230194568634, 0.33791524171829224, 0.44070982933044434, 0.5626170039176941,
                0.7229568362236023, 1.0], f32)


def dynamic_codes():
    """The signed dynamic type of 8 bits: seven decades, the middles of 1, 2, 4 ... 64 equal steps in each."""
    codes = [0.0, 1.0]
    for decade in range(7):
        edges = np.linspace(0.1, 1, 2**decade + 1)
        middles = (edges[1:] + edges[:-1]) / 2 * 10.0 ** (decade - 6)
        codes += [*middles, *-middles]
    return np.sort(np.array(codes).astype(f32))


def nearest(table, values):
    return np.abs(table.astype(np.float64) - values.astype(np.float64)[..., None]).argmin(axis=-1)


def nf4_values(weight):
    blocks = weight.reshape(-1, 64)
    magnitude = np.abs(blocks).max(axis=1)
    mean = f32(magnitude.astype(np.float64).mean())
    codes, kept = dynamic_codes(), np.zeros_like(magnitude)
    for first in range(0, len(magnitude), 256):
        part = magnitude[first:first + 256] - mean
        scale = np.abs(part).max()
        kept[first:first + 256] = codes[nearest(codes, part / scale)] * scale + mean
    return (NF4[nearest(NF4, blocks / kept[:, None])] * kept[:, None]).reshape(weight.shape)


def safetensors(values):
    header, data = {}, b""
    for name, array in values.items():
        kind = {"float32": "F32", "uint8": "U8"}[array.dtype.name]
        header[name] = {"dtype": kind, "shape": list(array.shape), "data_offsets": [len(data), len(data) + array.nbytes]}
        data += array.tobytes()
    head = json.dumps(header, separators=(",", ":")).encode()
    return struct.pack("<Q", len(head)) + head + data


all_tensors = list(tensors())
weight = (random.randn(44, 384) * random.choice([0.02, 0.05, 0.4], (44, 1))).astype(f32)
small = weight[:4]
(here / "quantised.gguf").write_bytes(gguf(all_tensors))
expected = {name: values for name, _, _, _, values in all_tensors}
expected.update({"weight": weight, "small.q8_0": encode_q8_0(small), "small.q4_0": encode_q4_0(small),
                 "small.int8": int8_values(small), "weight.nf4": nf4_values(weight)})
assert all(v.dtype in (np.float32, np.uint8) for v in expected.values())
(here / "quantised_expected.safetensors").write_bytes(safetensors(expected))
