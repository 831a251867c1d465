"""Bases of images, written from their papers' equations, on named tensors in float64.

A network is a function of (tensors, config, pixels) that gives hidden rows (rows, channels) and what the head reads
(images, channels). `Shapes` runs it once to learn the shapes of its tensors.
"""
import torch
from torch.nn import functional as F


class Shapes(dict):
    """Collects (name: shape) of every tensor that a network asks for, giving zeros."""

    def take(self, name, *shape):
        self[name] = shape
        return torch.ones(shape, dtype=torch.float64) if name.endswith("running_var") else torch.zeros(shape, dtype=torch.float64)


class Values(dict):
    def take(self, name, *shape):
        assert tuple(self[name].shape) == shape, name
        return self[name]


def batch_norm(t, name, x, eps):
    channels = x.shape[1]
    scale, shift = t.take(name + ".weight", channels), t.take(name + ".bias", channels)
    mean, variance = t.take(name + ".running_mean", channels), t.take(name + ".running_var", channels)
    centred = (x - mean[:, None, None]) / torch.sqrt(variance[:, None, None] + eps)
    return centred * scale[:, None, None] + shift[:, None, None]


def same_padding(x, kernel, stride, dilation):
    """TensorFlow's: an output of ceil(size / stride), of an odd number of zeros the larger half at the end."""
    amounts = []
    for size in (x.shape[3], x.shape[2]):
        output = -(-size // stride)
        total = max((output - 1) * stride + dilation * (kernel - 1) + 1 - size, 0)
        amounts += [total // 2, total - total // 2]
    return F.pad(x, amounts)


def divisible(value, divisor, least):
    rounded = max(least, int(value + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * value else rounded


MOBILE_CHANNELS = [16, 24, 24, 32, 32, 32, 64, 64, 64, 64, 96, 96, 96, 160, 160, 160, 320]
MOBILE_STRIDES = [2, 1, 2, 1, 1, 2, 1, 1, 1, 1, 1, 1, 2, 1, 1, 1]


def mobilenet_v2(t, config, x):
    divisor, least = config["depth_divisible_by"], config["min_depth"]

    def channels(count):
        return divisible(round(count * config["depth_multiplier"]), divisor, least)

    def layer(name, x, out, kernel=1, stride=1, depthwise=False, dilation=1, activated=True):
        name = "mobilenet_v2." + name
        groups = x.shape[1] if depthwise else 1
        weight = t.take(name + ".convolution.weight", out, x.shape[1] // groups, kernel, kernel)
        if config["tf_padding"]:
            y = F.conv2d(same_padding(x, kernel, stride, dilation), weight, None, stride, 0, dilation, groups)
        else:
            y = F.conv2d(x, weight, None, stride, (kernel - 1) // 2 * dilation, dilation, groups)
        y = batch_norm(t, name + ".normalization", y, config["layer_norm_eps"])
        return F.relu6(y) if activated else y

    x = layer("conv_stem.first_conv", x, channels(32), 3, 2)
    x = layer("conv_stem.conv_3x3", x, x.shape[1], 3, depthwise=True)
    x = layer("conv_stem.reduce_1x1", x, channels(16), activated=False)
    reached, dilation = 2, 1
    for number, stride in enumerate(MOBILE_STRIDES):
        kept, own = x, dilation
        inner = divisible(round(x.shape[1] * config["expand_ratio"]), divisor, least)
        if reached == config["output_stride"]:
            dilation, stride = dilation * stride, 1
        else:
            reached *= stride
        name = f"layer.{number}."
        x = layer(name + "expand_1x1", x, inner)
        x = layer(name + "conv_3x3", x, inner, 3, stride, True, own)
        x = layer(name + "reduce_1x1", x, channels(MOBILE_CHANNELS[number + 1]), activated=False)
        x = x + kept if stride == 1 and x.shape == kept.shape else x
    x = layer("conv_1x1", x, channels(1280))
    return rows_of(x), x.mean((2, 3))


def resnet(t, config, x):
    def layer(name, x, out, kernel, stride, activated=True):
        name = "resnet." + name
        weight = t.take(name + ".convolution.weight", out, x.shape[1], kernel, kernel)
        y = F.conv2d(x, weight, None, stride, kernel // 2)
        y = batch_norm(t, name + ".normalization", y, 1e-5)
        return F.relu(y) if activated else y

    x = layer("embedder.embedder", x, config["embedding_size"], 7, 2)
    x = F.max_pool2d(x, 3, 2, 1)
    for stage, (out, depth) in enumerate(zip(config["hidden_sizes"], config["depths"])):
        for number in range(depth):
            stride = 2 if number == 0 and (stage > 0 or config["downsample_in_first_stage"]) else 1
            name = f"encoder.stages.{stage}.layers.{number}."
            shortcut = x
            if stride != 1 or x.shape[1] != out:
                shortcut = layer(name + "shortcut", x, out, 1, stride, False)
            if config["layer_type"] == "bottleneck":
                y = layer(name + "layer.0", x, out // 4, 1, 1)
                y = layer(name + "layer.1", y, out // 4, 3, stride)
                y = layer(name + "layer.2", y, out, 1, 1, False)
            else:
                y = layer(name + "layer.0", x, out, 3, stride)
                y = layer(name + "layer.1", y, out, 3, 1, False)
            x = F.relu(y + shortcut)
    return rows_of(x), x.mean((2, 3))


def convnext(t, config, x):
    def take(name, *shape):
        return t.take("convnext." + name, *shape)

    def conv(name, x, out, kernel, stride=1, padding=0, groups=1):
        weight = take(name + ".weight", out, x.shape[1] // groups, kernel, kernel)
        return F.conv2d(x, weight, take(name + ".bias", out), stride, padding, 1, groups)

    def norm(name, x, eps=1e-6):
        """Of channels, the last dimension."""
        return F.layer_norm(x, x.shape[-1:], take(name + ".weight", x.shape[-1]), take(name + ".bias", x.shape[-1]), eps)

    def map_norm(name, x):
        return norm(name, x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)

    def linear(name, x, out):
        return x @ take(name + ".weight", out, x.shape[-1]).T + take(name + ".bias", out)

    side = config["patch_size"]
    x = map_norm("embeddings.layernorm", conv("embeddings.patch_embeddings", x, config["hidden_sizes"][0], side, side))
    for stage, (out, depth) in enumerate(zip(config["hidden_sizes"], config["depths"])):
        at = f"encoder.stages.{stage}."
        if stage > 0:
            x = map_norm(at + "downsampling_layer.0", x)
            x = conv(at + "downsampling_layer.1", x, out, 2, 2)
        for number in range(depth):
            name = at + f"layers.{number}."
            y = conv(name + "dwconv", x, out, 7, 1, 3, out).permute(0, 2, 3, 1)
            y = F.gelu(linear(name + "pwconv1", norm(name + "layernorm", y), 4 * out))
            y = linear(name + "pwconv2", y, out)
            if config["layer_scale_init_value"] > 0:
                y = y * take(name + "layer_scale_parameter", out)
            x = x + y.permute(0, 3, 1, 2)
    return rows_of(x), norm("layernorm", x.mean((2, 3)), config["layer_norm_eps"])


VIT_NAMES = {"norms": ("layernorm_before", "layernorm_after"), "up": "intermediate.dense", "down": "output.dense", "scales": ()}
DINOV2_NAMES = {
    "norms": ("norm1", "norm2"), "up": "mlp.fc1", "down": "mlp.fc2", "scales": ("layer_scale1.lambda1", "layer_scale2.lambda1"),
}


def vit_tokens(t, config, x, prefix, special, names):
    """The last norm of (images, tokens, channels)."""
    hidden, patch, eps = config["hidden_size"], config["patch_size"], config["layer_norm_eps"]
    heads = config["num_attention_heads"]

    def linear(name, x, out):
        return x @ t.take(name + ".weight", out, x.shape[-1]).T + t.take(name + ".bias", out)

    def norm(name, x):
        return F.layer_norm(x, (hidden,), t.take(name + ".weight", hidden), t.take(name + ".bias", hidden), eps)

    def scaled(layer, block, x):
        return x * t.take(layer + names["scales"][block], hidden) if names["scales"] else x

    wide = config.get("intermediate_size", hidden * config.get("mlp_ratio", 0))
    name = prefix + "embeddings."
    weight = t.take(name + "patch_embeddings.projection.weight", hidden, 3, patch, patch)
    x = F.conv2d(x, weight, t.take(name + "patch_embeddings.projection.bias", hidden), patch)
    grid = x.shape[2:]
    x = x.flatten(2).transpose(1, 2)
    before = [t.take(name + token, 1, 1, hidden).expand(x.shape[0], 1, hidden) for token in special]
    x = torch.cat(before + [x], 1)
    side = config["image_size"] // patch
    x = x + positions_for(t.take(name + "position_embeddings", 1, len(special) + side * side, hidden), len(special), side, grid)
    for number in range(config["num_hidden_layers"]):
        name = f"{prefix}encoder.layer.{number}."
        read = norm(name + names["norms"][0], x)
        q, k, v = (
            linear(name + "attention.attention." + part, read, hidden).unflatten(-1, (heads, -1)).transpose(1, 2)
            for part in ("query", "key", "value")
        )
        weights = (q @ k.transpose(-1, -2) / (hidden // heads) ** 0.5).softmax(-1)
        mixed = linear(name + "attention.output.dense", (weights @ v).transpose(1, 2).flatten(2), hidden)
        x = x + scaled(name, 0, mixed)
        read = norm(name + names["norms"][1], x)
        output = linear(name + names["down"], F.gelu(linear(name + names["up"], read, wide)), hidden)
        x = x + scaled(name, 1, output)
    return norm(prefix + "layernorm", x)


def positions_for(table, before, side, grid):
    """A table for `side` x `side` patches as one for `grid`; what stands before them keeps its own."""
    if tuple(grid) == (side, side):
        return table
    places = table[:, before:].unflatten(1, (side, side)).permute(0, 3, 1, 2)
    places = F.interpolate(places, size=tuple(grid), mode="bicubic", align_corners=False)
    return torch.cat([table[:, :before], places.flatten(2).transpose(1, 2)], 1)


def vit(t, config, x, prefix="vit.", special=("cls_token",)):
    x = vit_tokens(t, config, x, prefix, special, VIT_NAMES)
    return x.flatten(0, 1), x[:, 0]


def deit(t, config, x):
    return vit(t, config, x, "deit.", ("cls_token", "distillation_token"))


def dinov2(t, config, x):
    t.take("dinov2.embeddings.mask_token", 1, config["hidden_size"])  # for pretraining alone
    x = vit_tokens(t, config, x, "dinov2.", ("cls_token",), DINOV2_NAMES)
    return x.flatten(0, 1), torch.cat([x[:, 0], x[:, 1:].mean(1)], 1)


def rows_of(x):
    """(images, channels, height, width) as (places, channels)."""
    return x.permute(0, 2, 3, 1).flatten(0, 2)


NETWORKS = {
    "mobilenet_v2": mobilenet_v2, "resnet": resnet, "vit": vit, "deit": deit, "convnext": convnext, "dinov2": dinov2,
}
