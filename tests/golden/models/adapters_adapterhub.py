"""Adapters as AdapterHub computes and keeps them, over the encoders, straight from their papers' equations.

The tensors carry AdapterHub's own names, so what a folder says is what is computed here.
"""
import torch

from adapters import bottleneck_defaults
from encoders import FAMILIES, HIDDEN, INTERMEDIATE, LAYERS, Encoder

RANK, INNER, LENGTH, BOTTLENECK = 4, 4, 3, 6


class AdapterHubEncoder(Encoder):
    """One adapter `name` with its configurations, or with `fused` a fusion of several bottlenecks.

    LoRA (Hu et al. 2021, arXiv:2106.09685, eq. 3)             y = W x + b + alpha / r B A x
    (IA)^3 (Liu et al. 2022, arXiv:2205.05638)                 y = l * (W x + b) for keys and values
    prefixes (Li & Liang 2021, arXiv:2101.00190)               attention(Q, [P_K; K], [P_V; V])
    prompts (Lester et al. 2021, arXiv:2104.08691)             [P; X] behind the embeddings
    bottlenecks (Pfeiffer et al. 2020, He et al. 2021)         see BottleneckEncoder in adapters.py
    fusion (Pfeiffer et al. 2021, arXiv:2005.00247, eq. 4)     sum_n softmax_n(q . K z_n) V z_n, q = Q u
    """

    def __init__(self, parameters, name, configs, tensors, fused=None):
        super().__init__(FAMILIES["bert"], parameters, "bert.")
        self.name, self.tensors, self.fused = name, tensors, fused
        self.configs = {config["architecture"]: config for config in configs}

    def linear(self, name, x):
        y = super().linear(name, x)
        at = f"{name}.loras.{self.name}."
        if at + "lora_B" not in self.tensors:
            return y
        config, b = self.configs["lora"], self.tensors[at + "lora_B"]
        if config["composition_mode"] == "scale":
            return y * b[:, 0]
        return y + config["alpha"] / config["r"] * (x @ self.tensors[at + "lora_A"].T) @ b.T

    def embed(self, ids, types):
        x = super().embed(ids, types)
        prompt = self.tensors.get(f"bert.prompt_tuning.prompt_tunings.{self.name}.prompt_embedding.weight")
        if prompt is None:
            return x
        at = 1 if self.configs["prompt_tuning"]["combine"] == "prefix_after_bos" else 0
        return torch.cat([x[:at], prompt, x[at:]])

    def layer(self, index, x):
        self.index, self.x = index, x
        return super().layer(index, x)

    def prefixes(self, config):
        """(tokens, pairs of the layers that have one, channels)"""
        at = f"bert.prefix_tuning.prefix_tunings.{self.name}.self_prefix."
        if config["flat"]:
            pairs = self.tensors[at + "control_trans"]
        else:
            t = {part: self.tensors[at + part] for part in network_shapes()}
            h = torch.tanh(t["wte.weight"] @ t["control_trans.0.weight"].T + t["control_trans.0.bias"])
            pairs = h @ t["control_trans.2.weight"].T + t["control_trans.2.bias"]
        return pairs.reshape(config["prefix_length"], -1, HIDDEN)

    def attend(self, q, k, v):
        config = self.configs.get("prefix_tuning")
        if config is None or self.index in config["leave_out"]:
            return super().attend(q, k, v)
        pairs = self.prefixes(config)
        place = [i for i in range(LAYERS) if i not in config["leave_out"]].index(self.index)
        key, value = pairs[:, 2 * place], pairs[:, 2 * place + 1]
        if config["use_gating"]:
            at = f"bert.encoder.layer.{self.index}.attention.self.prefix_tuning.prefix_gates.{self.name}."
            gate = torch.sigmoid(self.x @ self.tensors[at + "weight"].T + self.tensors[at + "bias"]).mean()
            key, value = gate * key, gate * value
        return super().attend(q, torch.cat([key, k]), torch.cat([value, v]))

    def close_block(self, dense, norm, h, x):
        module, config = dense[: -len("dense")], self.configs.get(None)
        names = [name for name in self.fused or [self.name]
                 if f"{module}adapters.{name}.adapter_up.weight" in self.tensors]
        if not names:
            return super().close_block(dense, norm, h, x)
        u = x if config["is_parallel"] else self.norm(norm, h + x)
        z = [self.bottleneck(f"{module}adapters.{name}.", u, config) for name in names]
        return self.norm(norm, h + x + (self.fusion(module, u, z) if self.fused else z[0]))

    def bottleneck(self, at, u, config):
        down = u @ self.tensors[at + "adapter_down.0.weight"].T + self.tensors[at + "adapter_down.0.bias"]
        inner = down * torch.sigmoid(down) if config["non_linearity"] == "swish" else torch.relu(down)
        return config["scaling"] * (inner @ self.tensors[at + "adapter_up.weight"].T + self.tensors[at + "adapter_up.bias"])

    def fusion(self, module, u, z):
        at = f"{module}adapter_fusion_layer.{','.join(self.fused)}."
        t = {part: self.tensors[at + part] for part in fusion_shapes()}
        q = u @ t["query.weight"].T + t["query.bias"]
        scores = torch.stack([(q * (z_n @ t["key.weight"].T + t["key.bias"])).sum(-1) for z_n in z], -1)
        weights = torch.softmax(scores, -1)
        return sum(weights[:, n : n + 1] * (z[n] @ t["value.weight"].T) for n in range(len(z)))

    def hidden_states(self, ids, types):
        """The last states without prompts: a head never reads those."""
        states = super().hidden_states(ids, types)
        config = self.configs.get("prompt_tuning")
        if config is None:
            return states
        at = 1 if config["combine"] == "prefix_after_bos" else 0
        return [torch.cat([x[:at], x[at + config["prompt_length"] :]]) for x in states]

    def classify(self, last):
        """AdapterHub's head of two layers on the first token."""
        head = "tiny"
        h = torch.tanh(last[0] @ self.tensors[f"heads.{head}.1.weight"].T + self.tensors[f"heads.{head}.1.bias"])
        return h @ self.tensors[f"heads.{head}.4.weight"].T + self.tensors[f"heads.{head}.4.bias"]


# Shapes of tensors below each module.


def network_shapes():
    width = 2 * LAYERS * HIDDEN
    return {
        "wte.weight": (LENGTH, HIDDEN),
        "control_trans.0.weight": (BOTTLENECK, HIDDEN),
        "control_trans.0.bias": (BOTTLENECK,),
        "control_trans.2.weight": (width, BOTTLENECK),
        "control_trans.2.bias": (width,),
    }


def fusion_shapes():
    square, row = (HIDDEN, HIDDEN), (HIDDEN,)
    return {"query.weight": square, "query.bias": row, "key.weight": square, "key.bias": row, "value.weight": square}


def bottleneck_shapes(name, inner=INNER):
    parts = {
        "adapter_down.0.weight": (inner, HIDDEN),
        "adapter_down.0.bias": (inner,),
        "adapter_up.weight": (HIDDEN, inner),
        "adapter_up.bias": (HIDDEN,),
    }
    return under([f"bert.encoder.layer.{i}.output.adapters.{name}." for i in range(LAYERS)], parts)


def under(places, parts):
    return {place + part: shape for place in places for part, shape in parts.items()}


def lora_shapes(layers, modules):
    shapes = {}
    for index in layers:
        for module, (outputs, inputs) in modules.items():
            at = f"bert.encoder.layer.{index}.{module}.loras.tiny."
            shapes[at + "lora_A"] = (RANK, inputs)
            shapes[at + "lora_B"] = (outputs, RANK)
    return shapes


def ia3_shapes():
    modules = [f"bert.encoder.layer.{i}.attention.self.{part}" for i in range(LAYERS) for part in ("key", "value")]
    return {f"{module}.loras.tiny.lora_B": (HIDDEN, 1) for module in modules}


def pool(parts):
    return under(["bert.prefix_tuning.prefix_tunings.tiny.self_prefix."], parts)


def gate_shapes(layers):
    at = [f"bert.encoder.layer.{i}.attention.self.prefix_tuning.prefix_gates.tiny." for i in layers]
    return under(at, {"weight": (1, HIDDEN), "bias": (1,)})


def head_shapes(labels):
    square = (HIDDEN, HIDDEN)
    return {"heads.tiny.1.weight": square, "heads.tiny.1.bias": (HIDDEN,), "heads.tiny.4.weight": (labels, HIDDEN),
            "heads.tiny.4.bias": (labels,)}


# Configurations, as the library's classes list them.


def lora_config(**changes):
    config = {"architecture": "lora", "selfattn_lora": True, "intermediate_lora": False, "output_lora": False, "leave_out": [],
              "r": RANK, "alpha": 8, "dropout": 0.0, "attn_matrices": ["q", "v"], "composition_mode": "add",
              "init_weights": "lora", "init_weights_seed": None, "use_gating": False, "vera_d": None, "vera_b": None,
              "use_dora": False, "dtype": None}
    assert set(changes) <= set(config)
    return {**config, **changes}


def prefix_config(**changes):
    config = {"architecture": "prefix_tuning", "encoder_prefix": True, "cross_prefix": True, "leave_out": [], "flat": False,
              "prefix_length": LENGTH, "bottleneck_size": BOTTLENECK, "non_linearity": "tanh", "dropout": 0.0,
              "use_gating": False, "shared_gating": True}
    assert set(changes) <= set(config)
    return {**config, **changes}


def prompt_config(**changes):
    config = {"architecture": "prompt_tuning", "prompt_length": LENGTH, "prompt_init": "random_uniform",
              "prompt_init_text": None, "combine": "prefix"}
    return {**config, **changes}


def bottleneck_config(**changes):
    return {**bottleneck_defaults(), "original_ln_before": True, "reduction_factor": HIDDEN // INNER, **changes}


def fusion_config():
    return {"key": True, "query": True, "value": True, "query_before_ln": False, "regularization": True,
            "residual_before": False, "temperature": False, "value_before_softmax": True, "value_initialized": True,
            "dropout_prob": None}


QUERY, VALUE = "attention.self.query", "attention.self.value"
SQUARE = (HIDDEN, HIDDEN)
PROMPT = {"bert.prompt_tuning.prompt_tunings.tiny.prompt_embedding.weight": (LENGTH, HIDDEN)}
PARALLEL = bottleneck_config(original_ln_before=False, is_parallel=True, scaling=4.0, init_weights="mam_adapter",
                             reduction_factor=8, non_linearity="swish")
# Folder: configurations, tensors.
CASES = {
    "bert-hub-lora": (
        [lora_config(intermediate_lora=True, output_lora=True, leave_out=[0], attn_matrices=["q", "v"])],
        lora_shapes([1], {QUERY: SQUARE, VALUE: SQUARE, "intermediate.dense": (INTERMEDIATE, HIDDEN),
                          "output.dense": (HIDDEN, INTERMEDIATE)}),
    ),
    "bert-hub-ia3": (
        [lora_config(attn_matrices=["k", "v"], composition_mode="scale", init_weights="ia3", r=1, alpha=1)],
        ia3_shapes(),
    ),
    "bert-hub-prefix": ([prefix_config()], pool(network_shapes())),
    "bert-hub-prefix-flat": (
        [prefix_config(flat=True, leave_out=[0], use_gating=True)],
        {**pool({"control_trans": (LENGTH * 2 * HIDDEN,)}), **gate_shapes([1])},
    ),
    "bert-hub-prompt": ([prompt_config()], PROMPT),
    "bert-hub-prompt-after-bos": ([prompt_config(combine="prefix_after_bos")], PROMPT),
    "bert-hub-mam": ([prefix_config(), PARALLEL], {**pool(network_shapes()), **bottleneck_shapes("tiny")}),
}
FUSED = ("left", "right")
