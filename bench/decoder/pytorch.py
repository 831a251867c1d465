#!/usr/bin/python3
"""A LoRA training step of a Llama-like decoder in PyTorch, as its users run it: the contender `pytorch`.

Weights are random (only the speed counts), the base is frozen and held in the type of the step, the loss is over the
logits of all tokens, the optimizer is AdamW on the adapters. Prints one JSON line.

    bench/decoder/pytorch.py --shape smollm --dtype bf16 --sequences 2 --tokens 256
"""
import argparse
import json
import math
import pathlib
import resource
import statistics
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from pytorch_lora import adapt, measure, require_optimized_blas  # before torch

import torch
from torch import nn

SHAPES = {
    "smollm": {"vocabulary": 49152, "hidden": 576, "layers": 30, "heads": 9, "kv_heads": 3, "intermediate": 1536},
    "llama124m": {"vocabulary": 50257, "hidden": 768, "layers": 12, "heads": 12, "kv_heads": 12, "intermediate": 2048},
}
ATTENTION = ("query", "key", "value", "output")
ALL = ATTENTION + ("gate", "up", "down")
TYPES = {"f32": torch.float32, "bf16": torch.bfloat16}


class RmsNorm(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))

    def forward(self, x):
        wide = x.float()
        return self.weight * (wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + 1e-5)).to(x.dtype)


def rotated(x, cos, sin):
    """x: (batch, heads, tokens, channels); the halves of a head turn against each other."""
    first, second = x.chunk(2, -1)
    return x * cos + torch.cat((-second, first), -1) * sin


class Layer(nn.Module):
    def __init__(self, hidden, heads, kv_heads, intermediate):
        super().__init__()
        self.heads, self.kv_heads, width = heads, kv_heads, hidden // heads
        self.query, self.output = (nn.Linear(hidden, hidden, bias=False) for _ in range(2))
        self.key, self.value = (nn.Linear(hidden, kv_heads * width, bias=False) for _ in range(2))
        self.gate, self.up = (nn.Linear(hidden, intermediate, bias=False) for _ in range(2))
        self.down = nn.Linear(intermediate, hidden, bias=False)
        self.attention_norm, self.norm = RmsNorm(hidden), RmsNorm(hidden)

    def split(self, x, heads):
        return x.view(x.shape[0], x.shape[1], heads, -1).transpose(1, 2)

    def forward(self, x, cos, sin, mask):
        read = self.attention_norm(x)
        q = rotated(self.split(self.query(read), self.heads), cos, sin)
        k = rotated(self.split(self.key(read), self.kv_heads), cos, sin)
        v = self.split(self.value(read), self.kv_heads)
        k, v = (part.repeat_interleave(self.heads // self.kv_heads, 1) for part in (k, v))
        scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1]) + mask
        mixed = (scores.softmax(-1, dtype=torch.float32).to(v.dtype) @ v).transpose(1, 2).reshape(x.shape)
        x = x + self.output(mixed)
        read = self.norm(x)
        return x + self.down(nn.functional.silu(self.gate(read)) * self.up(read))


class Decoder(nn.Module):
    def __init__(self, vocabulary, hidden, layers, heads, kv_heads, intermediate):
        super().__init__()
        self.words = nn.Embedding(vocabulary, hidden)
        self.layers = nn.ModuleList(Layer(hidden, heads, kv_heads, intermediate) for _ in range(layers))
        self.norm = RmsNorm(hidden)
        self.width = hidden // heads

    def forward(self, ids):
        tokens, dtype = ids.shape[1], self.words.weight.dtype
        angles = torch.arange(tokens)[:, None] * 1e4 ** (-torch.arange(0, self.width, 2) / self.width)
        angles = torch.cat((angles, angles), -1)
        cos, sin = angles.cos().to(dtype), angles.sin().to(dtype)
        mask = torch.full((tokens, tokens), torch.finfo(dtype).min, dtype=dtype).triu(1)
        x = self.words(ids)
        for layer in self.layers:
            x = layer(x, cos, sin, mask)
        return self.norm(x) @ self.words.weight.t()


def train_step(model, optimizer, ids):
    optimizer.zero_grad(set_to_none=True)
    logits = model(ids)[:, :-1].float()
    loss = nn.functional.cross_entropy(logits.reshape(-1, logits.shape[-1]), ids[:, 1:].reshape(-1))
    loss.backward()
    optimizer.step()


def parse_arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--shape", choices=SHAPES, required=True)
    parser.add_argument("--dtype", choices=TYPES, default="f32")
    parser.add_argument("--targets", choices=("attention", "all"), default="all")
    parser.add_argument("--sequences", type=int, default=2)
    parser.add_argument("--tokens", type=int, default=256)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=10.0)
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    require_optimized_blas()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(1)
    shape = SHAPES[arguments.shape]
    model = Decoder(**shape).to(TYPES[arguments.dtype])
    model.requires_grad_(False)
    adapt(model.layers, ALL if arguments.targets == "all" else ATTENTION)
    model.to(TYPES[arguments.dtype])
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=1e-4)
    ids = torch.randint(0, shape["vocabulary"], (arguments.sequences, arguments.tokens))
    passes = measure(lambda batch: train_step(model, optimizer, batch), [ids], arguments.seconds)
    typical = statistics.median(passes)
    result = {
        "contender": "pytorch",
        "shape": arguments.shape,
        "dtype": arguments.dtype,
        "tokens_per_second": ids.numel() / typical,
        "ms_per_step": 1000 * typical,
        "peak_rss_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
