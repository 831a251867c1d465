#!/usr/bin/python3
"""A LoRA training step of a network for images in PyTorch, as its users run it: the contender `pytorch`.

Weights are random (only the speed counts), the base is frozen, batch norms use their running statistics, all is held in
the type of the step, the optimizer is AdamW on the adapters and the head. Prints one JSON line.

    bench/vision/pytorch.py --shape resnet50 --dtype bf16 --images 16 --layout channels_last
"""
import argparse
import json
import math
import pathlib
import resource
import statistics
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from pytorch_lora import ALPHA, RANK, adapt, measure, require_optimized_blas  # before torch

import torch
from torch import nn

CLASSES, SIDE = 10, 224
TYPES = {"f32": torch.float32, "bf16": torch.bfloat16}
LAYOUTS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}


class ReLU6(nn.Module):
    """nn.ReLU6 has no gradient in bf16 on a CPU in PyTorch 1.13."""

    def forward(self, x):
        return x.clamp(0, 6)


class LoraConvolution(nn.Module):
    """y = conv(x) + (alpha / r) B A x, with A a convolution like the base's to r channels and B one of 1 x 1."""

    def __init__(self, base):
        super().__init__()
        self.base = base
        self.a = nn.Conv2d(base.in_channels, RANK, base.kernel_size, base.stride, base.padding, bias=False)
        self.b = nn.Conv2d(RANK, base.out_channels, 1, bias=False)

    def forward(self, x):
        return self.base(x) + self.b(self.a(x)) * (ALPHA / RANK)


def adapt_convolutions(model):
    """Sets a low-rank convolution in the place of every convolution without groups."""
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.Conv2d) and child.groups == 1:
                setattr(parent, name, LoraConvolution(child))


def layer(inputs, outputs, kernel=1, stride=1, groups=1, activation=None):
    convolution = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
    parts = [convolution, nn.BatchNorm2d(outputs)]
    return nn.Sequential(*parts, activation) if activation else nn.Sequential(*parts)


class ConvolutionalClassifier(nn.Module):
    """Features, the mean of each channel, a linear head; every convolution without groups is adapted."""

    def __init__(self, features, channels):
        super().__init__()
        self.features = features
        self.classifier = nn.Linear(channels, CLASSES)

    def adapt(self):
        adapt_convolutions(self.features)

    def forward(self, images):
        return self.classifier(self.features(images).mean((2, 3)))


class Bottleneck(nn.Module):
    """He et al. 2015 with the stride in the 3 x 3 convolution (version 1.5)."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        inner = outputs // 4
        self.parts = nn.Sequential(
            layer(inputs, inner, activation=nn.ReLU(inplace=True)),
            layer(inner, inner, 3, stride, activation=nn.ReLU(inplace=True)),
            layer(inner, outputs),
        )
        same = inputs == outputs and stride == 1
        self.shortcut = nn.Identity() if same else layer(inputs, outputs, 1, stride)

    def forward(self, x):
        return torch.relu(self.parts(x) + self.shortcut(x))


def resnet50():
    parts, inputs = [layer(3, 64, 7, 2, activation=nn.ReLU(inplace=True)), nn.MaxPool2d(3, 2, 1)], 64
    for stage, (outputs, depth) in enumerate(((256, 3), (512, 4), (1024, 6), (2048, 3))):
        for number in range(depth):
            parts.append(Bottleneck(inputs, outputs, 2 if stage > 0 and number == 0 else 1))
            inputs = outputs
    return ConvolutionalClassifier(nn.Sequential(*parts), inputs)


class InvertedResidual(nn.Module):
    """Sandler et al. 2018: expanded, filtered channel by channel, projected back without an activation."""

    def __init__(self, inputs, outputs, stride, expansion):
        super().__init__()
        inner = inputs * expansion
        parts = [layer(inputs, inner, activation=ReLU6())] if expansion > 1 else []
        parts.append(layer(inner, inner, 3, stride, inner, ReLU6()))
        parts.append(layer(inner, outputs))
        self.parts = nn.Sequential(*parts)
        self.residual = inputs == outputs and stride == 1

    def forward(self, x):
        return x + self.parts(x) if self.residual else self.parts(x)


def mobilenet_v2():
    parts, inputs = [layer(3, 32, 3, 2, activation=ReLU6())], 32
    # Table 2 of the paper: expansion, channels, repetitions, stride of the first.
    table = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
    for expansion, outputs, repetitions, stride in table:
        for number in range(repetitions):
            parts.append(InvertedResidual(inputs, outputs, stride if number == 0 else 1, expansion))
            inputs = outputs
    parts.append(layer(inputs, 1280, activation=ReLU6()))
    return ConvolutionalClassifier(nn.Sequential(*parts), 1280)


def attention(q, k, v):
    """By PyTorch's one call where this version has it."""
    if hasattr(nn.functional, "scaled_dot_product_attention"):
        return nn.functional.scaled_dot_product_attention(q, k, v)
    return (q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])).softmax(-1) @ v


class TransformerLayer(nn.Module):
    def __init__(self, hidden, heads, intermediate):
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value, self.output = (nn.Linear(hidden, hidden) for _ in range(4))
        self.up, self.down = nn.Linear(hidden, intermediate), nn.Linear(intermediate, hidden)
        self.attention_norm, self.norm = (nn.LayerNorm(hidden, eps=1e-12) for _ in range(2))

    def split(self, x):
        return x.view(x.shape[0], x.shape[1], self.heads, -1).transpose(1, 2)

    def forward(self, x):
        read = self.attention_norm(x)
        mixed = attention(self.split(self.query(read)), self.split(self.key(read)), self.split(self.value(read)))
        x = x + self.output(mixed.transpose(1, 2).reshape(x.shape))
        return x + self.down(nn.functional.gelu(self.up(self.norm(x))))


class VisionTransformer(nn.Module):
    """Dosovitskiy et al. 2020; queries and values are adapted."""

    def __init__(self, hidden=768, layers=12, heads=12, intermediate=3072, patch=16):
        super().__init__()
        self.patches = nn.Conv2d(3, hidden, patch, patch)
        self.first = nn.Parameter(torch.zeros(1, 1, hidden))
        self.positions = nn.Parameter(0.02 * torch.randn(1, (SIDE // patch) ** 2 + 1, hidden))
        self.layers = nn.ModuleList(TransformerLayer(hidden, heads, intermediate) for _ in range(layers))
        self.norm = nn.LayerNorm(hidden, eps=1e-12)
        self.classifier = nn.Linear(hidden, CLASSES)

    def adapt(self):
        adapt(self.layers, ("query", "value"))

    def forward(self, images):
        x = self.patches(images).flatten(2).transpose(1, 2)
        x = torch.cat((self.first.expand(len(x), -1, -1), x), 1) + self.positions
        for one in self.layers:
            x = one(x)
        return self.classifier(self.norm(x)[:, 0])


NETWORKS = {"resnet50": resnet50, "mobilenet_v2": mobilenet_v2, "vit_b16": VisionTransformer}


def adapted_model(shape, dtype, layout):
    model = NETWORKS[shape]()
    model.requires_grad_(False)
    model.adapt()
    model.classifier.requires_grad_(True)
    return model.to(dtype=dtype, memory_format=layout).eval()


def train_step(model, optimizer, batch):
    images, labels = batch
    optimizer.zero_grad(set_to_none=True)
    nn.functional.cross_entropy(model(images).float(), labels).backward()
    optimizer.step()


def parse_arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--shape", choices=NETWORKS, required=True)
    parser.add_argument("--dtype", choices=TYPES, default="f32")
    parser.add_argument("--images", type=int, default=16)
    parser.add_argument("--layout", choices=LAYOUTS, default="contiguous")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=10.0)
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    require_optimized_blas()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(1)
    dtype, layout = TYPES[arguments.dtype], LAYOUTS[arguments.layout]
    model = adapted_model(arguments.shape, dtype, layout)
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=1e-4)
    images = torch.randn(arguments.images, 3, SIDE, SIDE).to(dtype=dtype, memory_format=layout)
    batch = (images, torch.arange(arguments.images) % CLASSES)
    passes = measure(lambda one: train_step(model, optimizer, one), [batch], arguments.seconds)
    typical = statistics.median(passes)
    result = {
        "contender": "pytorch",
        "shape": arguments.shape,
        "dtype": arguments.dtype,
        "layout": arguments.layout,
        "images": arguments.images,
        "parameters": sum(parameter.numel() for parameter in trained),
        "images_per_second": arguments.images / typical,
        "ms_per_step": 1000 * typical,
        "peak_rss_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
