"""VeRA and AdaLoRA over the encoders, and their files as PEFT writes them."""
import math

import torch

from adapters import LoraEncoder, lora_config
from encoders import Encoder

PREFIX = LoraEncoder.PREFIX


def targeted(config, names):
    return [name for name in names if any(name.endswith("." + target) for target in config["target_modules"])]


class VeraEncoder(Encoder):
    """Kopiczko et al. 2023 (arXiv:2310.11454), eq. 2: h = Wx + b + l_b * (B (l_d * (A x))), A and B cut to the layer's size."""

    def __init__(self, family, parameters, prefix, config, adapter):
        super().__init__(family, parameters, prefix)
        self.adapter = adapter
        self.a, self.b = vera_projections(config, parameters)

    def linear(self, name, x):
        y = super().linear(name, x)
        if f"{PREFIX}{name}.vera_lambda_b" not in self.adapter:
            return y
        inner = (x @ self.a[:, : x.shape[1]].T) * self.adapter[f"{PREFIX}{name}.vera_lambda_d"]
        return y + (inner @ self.b[: y.shape[1]].T) * self.adapter[f"{PREFIX}{name}.vera_lambda_b"]

    def merged(self):
        tensors = {}
        for name in (key[len(PREFIX) : -len(".vera_lambda_b")] for key in self.adapter if key.endswith(".vera_lambda_b")):
            weight = self.parameters[name + ".weight"]
            b = self.adapter[f"{PREFIX}{name}.vera_lambda_b"][:, None] * self.b[: weight.shape[0]]
            a = self.adapter[f"{PREFIX}{name}.vera_lambda_d"][:, None] * self.a[:, : weight.shape[1]]
            tensors[name] = weight + b @ a
        return tensors


def vera_projections(config, values):
    """Drawn by PyTorch itself: kaiming-uniform, A then B from one generator on the CPU."""
    names = targeted(config, [key[: -len(".weight")] for key in values if key.endswith(".weight")])
    outputs = max(values[name + ".weight"].shape[0] for name in names)
    inputs = max(values[name + ".weight"].shape[1] for name in names)
    generator = torch.Generator().manual_seed(config["projection_prng_key"])

    def draw(rows, columns):
        bound = math.sqrt(3.0) * (math.sqrt(2.0) / math.sqrt(columns))
        return torch.empty(rows, columns).uniform_(-bound, bound, generator=generator).double()

    return draw(config["r"], inputs), draw(outputs, config["r"])


def vera_shapes(config, values):
    shapes = {}
    for name in targeted(config, [key[: -len(".weight")] for key in values if key.endswith(".weight")]):
        shapes[f"{PREFIX}{name}.vera_lambda_b"] = (values[name + ".weight"].shape[0],)
        shapes[f"{PREFIX}{name}.vera_lambda_d"] = (config["r"],)
    return shapes


def vera_config(base, rank, targets, **changes):
    config = {
        "auto_mapping": None,
        "base_model_name_or_path": base,
        "bias": "none",
        "d_initial": 0.1,
        "fan_in_fan_out": False,
        "inference_mode": True,
        "init_weights": True,
        "layers_pattern": None,
        "layers_to_transform": None,
        "modules_to_save": ["classifier", "score"],
        "peft_type": "VERA",
        "projection_prng_key": 0,
        "r": rank,
        "revision": None,
        "save_projection": True,
        "target_modules": targets,
        "task_type": "SEQ_CLS",
        "vera_dropout": 0.0,
    }
    assert set(changes) <= set(config)
    return {**config, **changes}


class AdaLoraEncoder(Encoder):
    """Zhang et al. 2023 (arXiv:2303.10512), eq. 3, with PEFT's scale: h = Wx + b + alpha / (init_r + 1e-5) B ((A * E) x)."""

    def __init__(self, family, parameters, prefix, config, adapter):
        super().__init__(family, parameters, prefix)
        self.adapter = adapter
        self.scale = config["lora_alpha"] / (config["init_r"] + 1e-5)

    def linear(self, name, x):
        y = super().linear(name, x)
        if f"{PREFIX}{name}.lora_E" not in self.adapter:
            return y
        a, b, e = (self.adapter[f"{PREFIX}{name}.lora_{part}"] for part in "ABE")
        return y + self.scale * (x @ (a * e).T) @ b.T

    def merged(self):
        tensors = {}
        for name in (key[len(PREFIX) : -len(".lora_E")] for key in self.adapter if key.endswith(".lora_E")):
            a, b, e = (self.adapter[f"{PREFIX}{name}.lora_{part}"] for part in "ABE")
            tensors[name] = self.parameters[name + ".weight"] + self.scale * b @ (a * e)
        return tensors


def adalora_shapes(config, values):
    shapes = {}
    for name in targeted(config, [key[: -len(".weight")] for key in values if key.endswith(".weight")]):
        outputs, inputs = values[name + ".weight"].shape
        rank = sum(config["rank_pattern"].get(name + ".lora_E", [True] * config["init_r"]))
        shapes[f"{PREFIX}{name}.lora_A"] = (rank, inputs)
        shapes[f"{PREFIX}{name}.lora_B"] = (outputs, rank)
        shapes[f"{PREFIX}{name}.lora_E"] = (rank, 1)
    return shapes


def adalora_config(base, init_rank, alpha, targets, rank_pattern):
    own = {
        "beta1": 0.85,
        "beta2": 0.85,
        "deltaT": 1,
        "init_r": init_rank,
        "orth_reg_weight": 0.5,
        "peft_type": "ADALORA",
        "rank_pattern": rank_pattern,
        "target_r": 2,
        "tfinal": 0,
        "tinit": 0,
        "total_step": 1,
    }
    return {**lora_config(base, 8, alpha, targets), **own}
