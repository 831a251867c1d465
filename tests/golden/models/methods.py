"""Adapter methods over the encoders, straight from their papers' equations.

An adapter is a dictionary of tensors under the names that Inlay gives them: module, dot, part.
"""
import torch

from adapters_prompt import PrefixEncoder, network_shapes
from encoders import HIDDEN, INTERMEDIATE, LAYERS, Encoder, gelu


class MethodEncoder(Encoder):
    def __init__(self, family, parameters, adapter):
        super().__init__(family, parameters, family.module + ".")
        self.adapter = adapter

    def site(self, name):
        return name[len(self.prefix) :] if name.startswith(self.prefix) else name


class Ia3(MethodEncoder):
    """Liu et al. 2022 (arXiv:2205.05638): keys and values times l; W_down (l * f(W_up x)): after the activation."""

    def linear(self, name, x):
        factors = self.adapter.get(self.site(name) + ".ia3_l")
        if factors is None:
            return super().linear(name, x)
        if factors.shape[0] == 1:
            return super().linear(name, x * factors[0])
        return super().linear(name, x) * factors[:, 0]

    def merged(self):
        """The weights and biases that give the same without an adapter."""
        tensors = {}
        for key, factors in self.adapter.items():
            module = key[: -len(".ia3_l")]
            weight, bias = (self.parameters[f"{self.prefix}{module}.{part}"] for part in ("weight", "bias"))
            tensors[module + ".weight"] = weight * factors
            tensors[module + ".bias"] = bias if factors.shape[0] == 1 else bias * factors[:, 0]
        return tensors


def ia3_shapes():
    shapes = {}
    for index in range(LAYERS):
        at = f"encoder.layer.{index}."
        shapes[at + "attention.self.key.ia3_l"] = (HIDDEN, 1)
        shapes[at + "attention.self.value.ia3_l"] = (HIDDEN, 1)
        shapes[at + "output.dense.ia3_l"] = (1, INTERMEDIATE)
    return shapes


class LnTuning(MethodEncoder):
    """Zhao et al. 2023 (arXiv:2312.11420): the norms have a scale and a shift of their own."""

    def norm(self, name, x):
        tuned = f"{self.site(name)}.ln_tuning_layers."
        own = {name + "." + part: self.adapter[tuned + part] for part in ("weight", "bias")}
        frozen, self.parameters = self.parameters, {**self.parameters, **own}
        y = super().norm(name, x)
        self.parameters = frozen
        return y

    def merged(self):
        return {key.replace("ln_tuning_layers.", ""): value for key, value in self.adapter.items()}


def ln_tuning_shapes():
    names = ["embeddings.LayerNorm"]
    for index in range(LAYERS):
        names += [f"encoder.layer.{index}.attention.output.LayerNorm", f"encoder.layer.{index}.output.LayerNorm"]
    return {f"{name}.ln_tuning_layers.{part}": (HIDDEN,) for name in names for part in ("weight", "bias")}


class GatedBottleneck(MethodEncoder):
    """Pfeiffer's bottleneck after LN(h + x) =: n, added to n, times UniPELT's gate (Mao et al. 2021, arXiv:2110.07577):

    y = LN(n + g z(n) + x), g = mean over the tokens of sigmoid(W_g n + b_g).
    """

    def close_block(self, dense, norm, h, x):
        at = self.site(dense)[: -len("dense")] + "adapters."
        if at + "adapter_up.weight" not in self.adapter:
            return super().close_block(dense, norm, h, x)
        n = self.norm(norm, h + x)
        gate = torch.sigmoid(n @ self.adapter[at + "gate.weight"].T + self.adapter[at + "gate.bias"]).mean()
        inner = torch.relu(n @ self.adapter[at + "adapter_down.0.weight"].T + self.adapter[at + "adapter_down.0.bias"])
        z = inner @ self.adapter[at + "adapter_up.weight"].T + self.adapter[at + "adapter_up.bias"]
        return self.norm(norm, n + gate * z + x)


def gated_shapes(size=4):
    shapes = {}
    for index in range(LAYERS):
        at = f"encoder.layer.{index}.output.adapters."
        shapes.update(bottleneck_shapes(at, size))
        shapes[at + "gate.weight"] = (1, HIDDEN)
        shapes[at + "gate.bias"] = (1,)
    return shapes


def bottleneck_shapes(at, size):
    return {
        at + "adapter_down.0.weight": (size, HIDDEN),
        at + "adapter_down.0.bias": (size,),
        at + "adapter_up.weight": (HIDDEN, size),
        at + "adapter_up.bias": (HIDDEN,),
    }


class AdapterPlus(MethodEncoder):
    """Steitz and Roth 2024 (arXiv:2406.06820): a layer's output y becomes y + s * z(y), s one factor per channel."""

    def layer(self, index, x):
        y, at = super().layer(index, x), f"encoder.layer.{index}."
        inner = gelu(y @ self.adapter[at + "adapter_down.0.weight"].T + self.adapter[at + "adapter_down.0.bias"])
        z = inner @ self.adapter[at + "adapter_up.weight"].T + self.adapter[at + "adapter_up.bias"]
        return y + self.adapter[at + "scaling"] * z


def adapter_plus_shapes(size=4):
    shapes = {}
    for index in range(LAYERS):
        at = f"encoder.layer.{index}."
        shapes.update(bottleneck_shapes(at, size))
        shapes[at + "scaling"] = (HIDDEN,)
    return shapes


class Compacter(MethodEncoder):
    """Karimi Mahabadi et al. 2021 (arXiv:2106.04647), eq. (6), (7): y = x H + b, H = sum of A_i (x) (s_i t_i)."""

    def phm(self, at, x):
        rule, left, right = self.adapter["phm_rule"], self.adapter[at + "W_left"], self.adapter[at + "W_right"]
        products = sum(torch.kron(rule[i], left[i] @ right[i]) for i in range(len(rule)))
        return x @ products + self.adapter[at + "b"]

    def close_block(self, dense, norm, h, x):
        at = self.site(dense)[: -len("dense")] + "adapters."
        z = self.phm(at + "adapter_up.", gelu(self.phm(at + "adapter_down.0.", h)))
        return self.norm(norm, h + z + x)


def compacter_shapes(size=4, n=4, rank=1):
    shapes = {"phm_rule": (n, n, n)}
    for index in range(LAYERS):
        for place in ("attention.output", "output"):
            at = f"encoder.layer.{index}.{place}.adapters."
            for layer, inputs, outputs in (("adapter_down.0.", HIDDEN, size), ("adapter_up.", size, HIDDEN)):
                shapes[at + layer + "W_left"] = (n, inputs // n, rank)
                shapes[at + layer + "W_right"] = (n, rank, outputs // n)
                shapes[at + layer + "b"] = (outputs,)
    return shapes


class Reft(MethodEncoder):
    """Wu et al. 2024 (arXiv:2404.03592): an edit of the first and last tokens of what every layer gives."""

    PREFIX, SUFFIX = 2, 2

    def layer(self, index, x):
        h = super().layer(index, x)
        split = max(len(h) - self.SUFFIX, 0)
        first = min(self.PREFIX, split)
        parts = [self.edit(index, 0, h[:first]), h[first:split], self.edit(index, 1, h[split:])]
        return torch.cat(parts)

    def unit(self, index, unit):
        at = f"encoder.layer.{index}.units.{unit}."
        return self.adapter[at + "learned_source.weight"], self.adapter[at + "learned_source.bias"], self.rows(at)

    def rows(self, at):
        return self.adapter[at + "projection.weight"]


class NoReft(Reft):
    """Without orthonormal rows: h + R'(W h + b - R h)."""

    def edit(self, index, unit, h):
        weight, bias, rows = self.unit(index, unit)
        return h + (h @ weight.T + bias - h @ rows.T) @ rows


class DiReft(Reft):
    """Eq. (3), the direct edit: h + R'(W h + b)."""

    def edit(self, index, unit, h):
        weight, bias, rows = self.unit(index, unit)
        return h + (h @ weight.T + bias) @ rows


class LoReft(NoReft):
    """Eq. (2), R of orthonormal rows: PyTorch's own parametrisation of the stored tensors."""

    def rows(self, at):
        at += "projection.parametrizations.weight."
        original, base = self.adapter[at + "original"], self.adapter[at + "0.base"]
        linear = torch.nn.utils.parametrizations.orthogonal(torch.nn.Linear(original.shape[1], original.shape[0]))
        parametrization = linear.parametrizations.weight[0].double()
        parametrization.base = base
        return parametrization(original)


def loreft_shapes(r=3):
    shapes = {}
    for index in range(LAYERS):
        for unit in (0, 1):
            at = f"encoder.layer.{index}.units.{unit}."
            shapes[at + "learned_source.weight"] = (r, HIDDEN)
            shapes[at + "learned_source.bias"] = (r,)
            shapes[at + "projection.parametrizations.weight.original"] = (r, HIDDEN)
            shapes[at + "projection.parametrizations.weight.0.base"] = (HIDDEN, HIDDEN)
    return shapes


def free_reft_shapes(r=3):
    shapes = {name: shape for name, shape in loreft_shapes(r).items() if "projection" not in name}
    for index in range(LAYERS):
        for unit in (0, 1):
            shapes[f"encoder.layer.{index}.units.{unit}.projection.weight"] = (r, HIDDEN)
    return shapes


class BitFit(MethodEncoder):
    """Ben Zaken et al. 2022 (arXiv:2106.10199): every bias of the base is trained, and only they."""

    def linear(self, name, x):
        return self.with_own_bias(name, super().linear, x)

    def norm(self, name, x):
        return self.with_own_bias(name, super().norm, x)

    def with_own_bias(self, name, layer, x):
        own = self.adapter.get(self.site(name) + ".bias")
        if own is None:
            return layer(name, x)
        frozen, self.parameters = self.parameters, {**self.parameters, name + ".bias": own}
        y = layer(name, x)
        self.parameters = frozen
        return y

    def merged(self):
        return dict(self.adapter)


def bitfit_shapes():
    shapes = {"embeddings.LayerNorm.bias": (HIDDEN,), "pooler.dense.bias": (HIDDEN,)}
    for index in range(LAYERS):
        at = f"encoder.layer.{index}."
        for name in ("attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense",
                     "attention.output.LayerNorm", "output.dense", "output.LayerNorm"):
            shapes[at + name + ".bias"] = (HIDDEN,)
        shapes[at + "intermediate.dense.bias"] = (INTERMEDIATE,)
    return shapes


class UniPelt(PrefixEncoder):
    """Mao et al. 2021 (arXiv:2110.07577), section 3: three methods, each times a gate of the example,

    g = mean over the tokens of sigmoid(W_g u + b_g), u being what the method's sub-layer reads:
      prefix tuning   attention(Q, [g P_K; K], [g P_V; V])
      bottleneck      y = LN(h + g z(n) + x), n = LN(h + x)
      LoRA            y = W u + b + g B A u, g in place of alpha / r
    """

    def __init__(self, family, parameters, adapter):
        super().__init__(family, parameters, family.module + ".", self.part(adapter, "prefix_tuning"))
        self.bottleneck = self.part(adapter, "bottleneck")
        self.lora = self.part(adapter, "lora")

    @staticmethod
    def part(adapter, method):
        """The tensors of one method, without its name in theirs."""
        dotted = {"." + key: value for key, value in adapter.items()}
        at = f".{method}."
        return {key.replace(at, ".")[1:]: value for key, value in dotted.items() if at in key}

    @staticmethod
    def example_gate(tensors, at, u):
        return torch.sigmoid(u @ tensors[at + "weight"].T + tensors[at + "bias"]).mean()

    def gate_of(self, index, part, x):
        return super().gate_of(index, "prefix_gate", x)

    def linear(self, name, x):
        y, at = super().linear(name, x), name[len(self.prefix) :] + "."
        if at + "lora_A.weight" not in self.lora:
            return y
        update = x @ self.lora[at + "lora_A.weight"].T @ self.lora[at + "lora_B.weight"].T
        return y + self.example_gate(self.lora, at + "gate.", x) * update

    def close_block(self, dense, norm, h, x):
        at, tensors = dense[len(self.prefix) : -len("dense")] + "adapters.", self.bottleneck
        if at + "adapter_up.weight" not in tensors:
            return super().close_block(dense, norm, h, x)
        n = self.norm(norm, h + x)
        inner = torch.relu(n @ tensors[at + "adapter_down.0.weight"].T + tensors[at + "adapter_down.0.bias"])
        z = inner @ tensors[at + "adapter_up.weight"].T + tensors[at + "adapter_up.bias"]
        return self.norm(norm, h + self.example_gate(tensors, at + "gate.", n) * z + x)


def unipelt_shapes(tokens=3, network=6, size=4, r=4):
    names = ("prefix_tuning.control_trans.0", "prefix_tuning.control_trans.2")
    width = 2 * LAYERS * HIDDEN
    shapes = {"prefix_tuning.wte.weight": (tokens, HIDDEN), **network_shapes((HIDDEN, network, width), names)}
    for index in range(LAYERS):
        attention, block = f"encoder.layer.{index}.attention.self.", f"encoder.layer.{index}.output.adapters.bottleneck."
        shapes.update(bottleneck_shapes(block, size))
        gates = [attention + "prefix_tuning.prefix_gate.", block + "gate."]
        for projection in ("query", "value"):
            at = f"{attention}{projection}.lora."
            shapes[at + "lora_A.weight"] = (r, HIDDEN)
            shapes[at + "lora_B.weight"] = (HIDDEN, r)
            gates.append(at + "gate.")
        for gate in gates:
            shapes[gate + "weight"] = (1, HIDDEN)
            shapes[gate + "bias"] = (1,)
    return shapes


def fixed(name):
    """Tensors that are stored but not trained."""
    return name.endswith(".base")


METHODS = {
    "ia3": (Ia3, ia3_shapes()),
    "ln-tuning": (LnTuning, ln_tuning_shapes()),
    "gated-bottleneck": (GatedBottleneck, gated_shapes()),
    "adapter-plus": (AdapterPlus, adapter_plus_shapes()),
    "compacter": (Compacter, compacter_shapes()),
    "loreft": (LoReft, loreft_shapes()),
    "noreft": (NoReft, free_reft_shapes()),
    "direft": (DiReft, free_reft_shapes()),
    "bitfit": (BitFit, bitfit_shapes()),
    "unipelt": (UniPelt, unipelt_shapes()),
}
