"""LoRA and bottleneck adapters over the encoders, and their files as PEFT and AdapterHub write them."""
import math
import re

import torch

from encoders import HIDDEN, LAYERS, Encoder


class LoraEncoder(Encoder):
    """Hu et al. 2021 (arXiv:2106.09685): h = Wx + b + s BAx, s = alpha / r; rsLoRA (Kalajdzievski 2023): s = alpha / sqrt(r).

    With a magnitude m, DoRA (Liu et al. 2024, arXiv:2402.09353, eq. 5 and section 4.3): W' = m (W + s BA) / |W + s BA| by rows,
    the norm a constant to the gradient. With a bias of B, h gains s times it.
    """

    PREFIX = "base_model.model."

    def __init__(self, family, parameters, prefix, scales, adapter):
        super().__init__(family, parameters, prefix)
        self.scales = scales  # by module name
        self.adapter = adapter

    def linear(self, name, x):
        y = super().linear(name, x)
        if name not in self.scales:
            return y
        a = self.adapter[f"{self.PREFIX}{name}.lora_A.weight"]
        b = self.adapter[f"{self.PREFIX}{name}.lora_B.weight"]
        magnitude = self.adapter.get(f"{self.PREFIX}{name}.lora_magnitude_vector")
        if magnitude is not None:
            weight = self.parameters[name + ".weight"] + self.scales[name] * b @ a
            weight = (magnitude / weight.norm(dim=1).detach())[:, None] * weight
            return x @ weight.T + self.parameters[name + ".bias"]
        update = (x @ a.T) @ b.T
        if f"{self.PREFIX}{name}.lora_B.bias" in self.adapter:
            update = update + self.adapter[f"{self.PREFIX}{name}.lora_B.bias"]
        return y + self.scales[name] * update

    def merged(self):
        """{module: its weight, module.bias: its bias} that give the same without an adapter."""
        tensors = {}
        for name, scale in self.scales.items():
            at = f"{self.PREFIX}{name}."
            weight = self.parameters[name + ".weight"] + scale * self.adapter[at + "lora_B.weight"] @ self.adapter[at + "lora_A.weight"]
            magnitude = self.adapter.get(at + "lora_magnitude_vector")
            tensors[name] = weight if magnitude is None else (magnitude / weight.norm(dim=1))[:, None] * weight
            if at + "lora_B.bias" in self.adapter:
                tensors[name + ".bias"] = self.parameters[name + ".bias"] + scale * self.adapter[at + "lora_B.bias"]
        return tensors


def lora_config(base, rank, alpha, targets, **changes):
    config = {
        "alpha_pattern": {},
        "auto_mapping": None,
        "base_model_name_or_path": base,
        "bias": "none",
        "fan_in_fan_out": False,
        "inference_mode": True,
        "init_lora_weights": True,
        "layer_replication": None,
        "layers_pattern": None,
        "layers_to_transform": None,
        "loftq_config": {},
        "lora_alpha": alpha,
        "lora_dropout": 0.0,
        "megatron_config": None,
        "megatron_core": "megatron.core",
        "modules_to_save": ["classifier", "score"],
        "peft_type": "LORA",
        "r": rank,
        "rank_pattern": {},
        "revision": None,
        "target_modules": targets,
        "task_type": "SEQ_CLS",
        "use_dora": False,
        "use_rslora": False,
    }
    assert set(changes) <= set(config)
    return {**config, **changes}


def pattern_value(patterns, name, otherwise):
    """The value of the first pattern that matches a suffix of the module's name, on whole segments."""
    for pattern, value in patterns.items():
        if re.match(rf"(.*\.)?({pattern})$", name):
            return value
    return otherwise


def lora_plan(config, names):
    """{module name: (rank, scale)} of the modules whose name ends in a target."""
    plan = {}
    for name in names:
        if not any(name.endswith("." + target) for target in config["target_modules"]):
            continue
        rank = pattern_value(config["rank_pattern"], name, config["r"])
        alpha = pattern_value(config["alpha_pattern"], name, config["lora_alpha"])
        plan[name] = (rank, alpha / (math.sqrt(rank) if config["use_rslora"] else rank))
    return plan


class BottleneckEncoder(Encoder):
    """Houlsby et al. 2019 (arXiv:1902.00751), Pfeiffer et al. 2020 (arXiv:2005.00247), He et al. 2021 (arXiv:2110.04366).

    z = s (W_up f(W_down u + b_down) + b_up). With h the sub-layer's output and x its input:
      Houlsby   y = LN(h + z(h) + x), after the attention and after the feed-forward block
      Pfeiffer  y = LN(h + z(LN(h + x)) + x), after the feed-forward block
      parallel  y = LN(h + z(x) + x), at the feed-forward block
    With inv_adapter the embeddings (x1, x2) become y1 = x1 + F(x2), y2 = x2 + G(y1), and what the decoder of a masked
    language model reads goes back: x2 = y2 - G(y1), x1 = y1 - F(x2). Pfeiffer et al. 2020 (arXiv:2005.00052), Dinh et al.
    2014 (arXiv:1410.8516).
    """

    def __init__(self, family, parameters, prefix, preset, adapter):
        super().__init__(family, parameters, prefix)
        self.preset = preset
        self.adapter = adapter

    def close_block(self, dense, norm, h, x):
        at = dense[: -len("dense")] + "adapters." + self.preset.name + "."
        if at + "adapter_up.weight" not in self.adapter:
            return super().close_block(dense, norm, h, x)
        if self.preset.config["is_parallel"]:
            u = x
        else:
            u = self.norm(norm, h + x) if self.preset.config["original_ln_before"] else h
        return self.norm(norm, h + self.bottleneck(at, u) + x)

    def bottleneck(self, at, u):
        down = u @ self.adapter[at + "adapter_down.0.weight"].T + self.adapter[at + "adapter_down.0.bias"]
        activation = {"relu": torch.relu, "swish": lambda t: t * torch.sigmoid(t)}
        inner = activation[self.preset.config["non_linearity"]](down)
        up = inner @ self.adapter[at + "adapter_up.weight"].T + self.adapter[at + "adapter_up.bias"]
        scaling = self.preset.config["scaling"]
        return up * (self.adapter[at + "scaling"] if scaling == "learned" else scaling)

    def network(self, name, u):
        """F or G of the invertible adapter."""
        at = f"{self.prefix}invertible_adapters.{self.preset.name}.{name}."
        inner = torch.relu(u @ self.adapter[at + "0.weight"].T + self.adapter[at + "0.bias"])
        return inner @ self.adapter[at + "2.weight"].T + self.adapter[at + "2.bias"]

    def embed(self, ids, types):
        x = super().embed(ids, types)
        if self.preset.config["inv_adapter"] is None:
            return x
        x1, x2 = x.chunk(2, dim=-1)
        y1 = x1 + self.network("F", x2)
        return torch.cat([y1, x2 + self.network("G", y1)], dim=-1)

    def before_decoder(self, h):
        y1, y2 = h.chunk(2, dim=-1)
        x2 = y2 - self.network("G", y1)
        return torch.cat([y1 - self.network("F", x2), x2], dim=-1)

    def classify(self, last):
        """AdapterHub's classification head: two layers on the first token's hidden state, no pooler."""
        first, second = f"heads.{self.preset.name}.1", f"heads.{self.preset.name}.4"
        h = torch.tanh(last[0] @ self.adapter[first + ".weight"].T + self.adapter[first + ".bias"])
        return h @ self.adapter[second + ".weight"].T + self.adapter[second + ".bias"]


class Preset:
    """One of AdapterHub's named bottleneck configurations."""

    def __init__(self, name, **changes):
        self.name = name
        config = bottleneck_defaults()
        assert set(changes) <= set(config)
        self.config = {**config, **changes}

    def shapes(self, prefix):
        inner = max(1, HIDDEN // self.config["reduction_factor"])
        places = ["attention.output."] * self.config["mh_adapter"] + ["output."] * self.config["output_adapter"]
        shapes = {}
        for index in range(LAYERS):
            for place in places:
                at = f"{prefix}encoder.layer.{index}.{place}adapters.{self.name}."
                shapes[at + "adapter_down.0.weight"] = (inner, HIDDEN)
                shapes[at + "adapter_down.0.bias"] = (inner,)
                shapes[at + "adapter_up.weight"] = (HIDDEN, inner)
                shapes[at + "adapter_up.bias"] = (HIDDEN,)
                if self.config["scaling"] == "learned":
                    shapes[at + "scaling"] = (1,)
        if self.config["inv_adapter"] is not None:
            half = HIDDEN // 2
            inner = half // self.config["inv_adapter_reduction_factor"]
            for network in "FG":
                at = f"{prefix}invertible_adapters.{self.name}.{network}."
                shapes[at + "0.weight"] = (inner, half)
                shapes[at + "0.bias"] = (inner,)
                shapes[at + "2.weight"] = (half, inner)
                shapes[at + "2.bias"] = (half,)
        return shapes

    def head_shapes(self, labels):
        at = f"heads.{self.name}."
        return {
            at + "1.weight": (HIDDEN, HIDDEN),
            at + "1.bias": (HIDDEN,),
            at + "4.weight": (labels, HIDDEN),
            at + "4.bias": (labels,),
        }


def bottleneck_defaults():
    return {
        "adapter_residual_before_ln": False,
        "architecture": None,
        "cross_adapter": False,
        "dropout": 0.0,
        "dtype": None,
        "factorized_phm_W": True,
        "factorized_phm_rule": False,
        "hypercomplex_nonlinearity": "glorot-uniform",
        "init_weights": "bert",
        "init_weights_seed": None,
        "inv_adapter": None,
        "inv_adapter_reduction_factor": None,
        "is_parallel": False,
        "learn_phm": True,
        "leave_out": [],
        "ln_after": False,
        "ln_before": False,
        "mh_adapter": False,
        "non_linearity": "relu",
        "original_ln_after": True,
        "original_ln_before": False,
        "output_adapter": True,
        "phm_bias": True,
        "phm_c_init": "normal",
        "phm_dim": 4,
        "phm_init_range": 0.0001,
        "phm_layer": False,
        "phm_rank": 1,
        "reduction_factor": 16,
        "residual_before_ln": True,
        "scaling": 1.0,
        "shared_W_phm": False,
        "shared_phm_rule": True,
        "stochastic_depth": 0.0,
        "use_gating": False,
    }


PRESETS = (
    Preset("seq_bn", original_ln_before=True, reduction_factor=8),
    Preset("double_seq_bn", mh_adapter=True, non_linearity="swish"),
    Preset("par_bn", is_parallel=True, reduction_factor=2, init_weights="mam_adapter", scaling=4.0),
    Preset("scaled_par_bn", is_parallel=True, reduction_factor=2, init_weights="mam_adapter", scaling="learned"),
    Preset(
        "seq_bn_inv",
        original_ln_before=True,
        reduction_factor=8,
        inv_adapter="nice",
        inv_adapter_reduction_factor=2,
    ),
)


def adapterhub_file(name, config):
    """What adapter_config.json and head_config.json share."""
    return {
        "config": config,
        "hidden_size": HIDDEN,
        "model_class": "BertAdapterModel",
        "model_name": "bert-single-label",
        "model_type": "bert",
        "name": name,
        "version": "adapters.1.2.0",
    }


def head_config(labels):
    return {
        "activation_function": "tanh",
        "bias": True,
        "dropout_prob": None,
        "head_type": "classification",
        "label2id": {f"LABEL_{i}": i for i in range(labels)},
        "layers": 2,
        "num_labels": labels,
        "use_pooler": False,
    }
