"""Methods that change a linear layer's weight, each from its paper's equation, and their files as PEFT writes them.

A method says which tensors a layer of (outputs, inputs) has, and what its weight is with them; `fixed` names those
that are not trained, `shared` those that all layers use.
"""
import math

import numpy
import torch

from adapters import pattern_value
from encoders import HIDDEN, INTERMEDIATE, Encoder

PREFIX = "base_model.model."


class WeightEncoder(Encoder):
    def __init__(self, family, parameters, prefix, method, modules, adapter):
        super().__init__(family, parameters, prefix)
        self.method = method
        self.modules = modules
        self.adapter = adapter

    def weight(self, name):
        own = PREFIX + name + "."
        tensors = {key[len(own) :]: value for key, value in self.adapter.items() if key.startswith(own)}
        for key in self.method.shared:
            tensors[key] = self.adapter["base_model." + key]
        return self.method.weight(self.parameters[name + ".weight"], tensors, name)

    def linear(self, name, x):
        if name not in self.modules:
            return super().linear(name, x)
        return x @ self.weight(name).T + self.parameters[name + ".bias"]


def circulant(kernel):
    """(b, b) from (b): each row is the row above, moved one place to the right."""
    return torch.stack([torch.roll(kernel, shift) for shift in range(len(kernel))])


def skew(triangle, size):
    """Q = U - U' of the elements above the diagonal, row by row."""
    upper = torch.zeros(size, size, dtype=triangle.dtype)
    rows, columns = torch.triu_indices(size, size, 1)
    upper = upper.index_put((rows, columns), triangle)
    return upper - upper.T


class Method:
    fixed, shared = (), {}

    def values(self, name, shape, source):
        return source.normal(0.0, 0.15, shape).astype(numpy.float32)


class Loha(Method):
    """Hyeon-Woo et al. 2022 (arXiv:2108.06098): dW = s (W1a W1b) * (W2a W2b), s = alpha / r."""

    config = {"peft_type": "LOHA", "r": 3, "alpha": 6, "rank_pattern": {"layer.0.*": 2}, "alpha_pattern": {}}
    config.update(rank_dropout=0.0, module_dropout=0.0, use_effective_conv2d=False, init_weights=True)

    def rank(self, name):
        return pattern_value(self.config["rank_pattern"], name, self.config["r"])

    def shapes(self, outputs, inputs, name):
        r = self.rank(name)
        return {"hada_w1_a": (outputs, r), "hada_w1_b": (r, inputs), "hada_w2_a": (outputs, r), "hada_w2_b": (r, inputs)}

    def weight(self, w, t, name):
        scale = self.config["alpha"] / self.rank(name)
        return w + scale * (t["hada_w1_a"] @ t["hada_w1_b"]) * (t["hada_w2_a"] @ t["hada_w2_b"])


def two_factors(size):
    """The divisor pair that is nearest to a square."""
    small = max(d for d in range(1, size + 1) if size % d == 0 and d * d <= size)
    return small, size // small


class Lokr(Method):
    """Yeh et al. 2023 (arXiv:2309.14859): dW = s W1 (x) W2; a factor is itself a product where its rank is below half its size."""

    config = {"peft_type": "LOKR", "r": 2, "alpha": 3, "rank_pattern": {}, "alpha_pattern": {}, "decompose_both": True}
    config.update(decompose_factor=-1, rank_dropout=0.0, rank_dropout_scale=False, module_dropout=0.0)
    config.update(use_effective_conv2d=False, init_weights=True)

    def shapes(self, outputs, inputs, name):
        (l, k), (m, n), r = two_factors(outputs), two_factors(inputs), self.config["r"]
        shapes = {}
        for part, rows, columns in (("lokr_w1", l, m), ("lokr_w2", k, n)):
            if r < max(rows, columns) / 2:
                shapes.update({part + "_a": (rows, r), part + "_b": (r, columns)})
            else:
                shapes[part] = (rows, columns)
        return shapes

    def weight(self, w, t, name):
        first, second = (t[p] if p in t else t[p + "_a"] @ t[p + "_b"] for p in ("lokr_w1", "lokr_w2"))
        return w + self.config["alpha"] / self.config["r"] * torch.kron(first, second)


class Miss(Method):
    """Kang & Yin 2024 (arXiv:2409.15371): y += D' sum_g x[g r .. g r + r), D (r, outputs); the last group may be short."""

    config = {"peft_type": "MISS", "r": 6, "miss_dropout": 0.0, "mini_r": 1, "bias": "none", "init_weights": True}

    def shapes(self, outputs, inputs, name):
        return {"miss_block": (self.config["r"], outputs)}

    def weight(self, w, t, name):
        return w + t["miss_block"].T[:, torch.arange(w.shape[1]) % self.config["r"]]


class Shira(Method):
    """Bhardwaj et al. 2024 (arXiv:2406.13175): some elements of the weight are trained, the rest stays."""

    config = {"peft_type": "SHIRA", "r": 2, "mask_type": "random", "random_seed": None, "fan_in_fan_out": False}
    config.update(init_weights=True)
    fixed = ("shira_indices",)

    def shapes(self, outputs, inputs, name):
        count = self.config["r"] * (outputs + inputs)
        return {"shira_weight": (count,), "shira_indices": (2, count, outputs, inputs)}

    def values(self, name, shape, source):
        if not name.endswith("shira_indices"):
            return super().values(name, shape, source)
        _, count, outputs, inputs = shape
        places = numpy.sort(source.permutation(outputs * inputs)[:count])
        return numpy.stack([places // inputs, places % inputs]).astype(numpy.int32)

    def weight(self, w, t, name):
        rows, columns = t["shira_indices"].long()
        return w + torch.zeros_like(w).index_put((rows, columns), t["shira_weight"])


class Hra(Method):
    """Yuan et al. 2024 (arXiv:2405.17484): W' = W H_1 .. H_r, H = I - 2 u u' / |u|^2."""

    config = {"peft_type": "HRA", "r": 4, "apply_GS": False, "bias": "none", "init_weights": True}

    def shapes(self, outputs, inputs, name):
        return {"hra_u": (inputs, self.config["r"])}

    def weight(self, w, t, name):
        for u in t["hra_u"].T:
            w = w - 2 * torch.outer(w @ u, u) / (u @ u)
        return w


class Oft(Method):
    """Qiu et al. 2023 (arXiv:2306.07280) with PEFT's two forms of the Cayley transform, which turn opposite ways.

    The layer reads x R with R = (I - Q)(I + Q)^-1, or five terms of (I + Q)(I - Q)^-1 = I + 2Q + 2Q^2 + ..,
    whose last is Q^4, so y = x R W' and the weight is W R'. COFT shortens Q to eps / sqrt(number of blocks).
    """

    def __init__(self, **changes):
        self.config = {"peft_type": "OFT", "r": 0, "oft_block_size": 8, "module_dropout": 0.0, "coft": False, "eps": 6e-5}
        self.config.update(block_share=False, use_cayley_neumann=True, num_cayley_neumann_terms=5, bias="none")
        self.config.update(fan_in_fan_out=False, init_weights=True)
        self.config.update(changes)

    def shapes(self, outputs, inputs, name):
        size = self.config["oft_block_size"]
        return {"oft_R.weight": (1 if self.config["block_share"] else inputs // size, size * (size - 1) // 2)}

    def rotation(self, triangle, count):
        size = self.config["oft_block_size"]
        q, one = skew(triangle, size), torch.eye(size, dtype=triangle.dtype)
        limit = self.config["eps"] / math.sqrt(count)
        if self.config["coft"] and q.norm() > limit:
            q = limit * q / q.norm()
        if self.config["use_cayley_neumann"]:
            return one + 2 * q + 2 * q @ q + 2 * q @ q @ q + q @ q @ q @ q
        return (one - q) @ torch.linalg.inv(one + q)

    def weight(self, w, t, name):
        blocks = [self.rotation(row, len(t["oft_R.weight"])) for row in t["oft_R.weight"]]
        blocks = blocks * (w.shape[1] // self.config["oft_block_size"] // len(blocks))
        return w @ torch.block_diag(*blocks).T


class Boft(Method):
    """Liu et al. 2023 (arXiv:2311.06243): W' = s (W B'), B = B_m .. B_1, each block-diagonal between a permutation and its inverse.

    Blocks are (I - S)(I + S)^-1 with S the skew part of the trained matrix. Permutation i takes, within stretches of
    2^i blocks, the even halves of blocks first and then the odd ones.
    """

    config = {"peft_type": "BOFT", "boft_block_size": 4, "boft_block_num": 0, "boft_n_butterfly_factor": 2}
    config.update(boft_dropout=0.0, bias="none", fan_in_fan_out=False, init_weights=True)

    def shapes(self, outputs, inputs, name):
        size, factors = self.config["boft_block_size"], self.config["boft_n_butterfly_factor"]
        return {"boft_R": (factors, inputs // size, size, size), "boft_s": (outputs, 1)}

    def values(self, name, shape, source):
        return super().values(name, shape, source) + numpy.float32(1 if name.endswith("boft_s") else 0)

    def weight(self, w, t, name):
        size, inputs = self.config["boft_block_size"], w.shape[1]
        one, whole = torch.eye(size, dtype=w.dtype), torch.eye(inputs, dtype=w.dtype)
        product = whole
        for i, factor in enumerate(t["boft_R"]):
            halves = torch.arange(inputs).reshape(-1, size * 2**i // (size // 2), size // 2)
            permutation = torch.cat([halves[:, 0::2], halves[:, 1::2]], dim=1).flatten()
            p = whole[permutation]
            s = 0.5 * (factor - factor.transpose(1, 2))
            product = p @ torch.block_diag(*((one - b) @ torch.linalg.inv(one + b) for b in s)) @ p.T @ product
        return t["boft_s"] * (w @ product.T)


class FourierFt(Method):
    """Gao et al. 2024 (arXiv:2405.03003): dW = scaling Re(IDFT2(F)), F zero but for n coefficients at random places."""

    config = {"peft_type": "FOURIERFT", "n_frequency": 30, "scaling": 120.0, "random_loc_seed": 777, "alpha": None}
    config.update(n_frequency_pattern={}, bias="none", fan_in_fan_out=False, init_weights=False, ifft2_norm="backward")

    def shapes(self, outputs, inputs, name):
        return {"fourierft_spectrum": (self.config["n_frequency"],)}

    def weight(self, w, t, name):
        generator = torch.Generator().manual_seed(self.config["random_loc_seed"])
        places = torch.randperm(w.numel(), generator=generator)[: self.config["n_frequency"]]
        spectrum = torch.zeros_like(w).index_put((places // w.shape[1], places % w.shape[1]), t["fourierft_spectrum"])
        return w + self.config["scaling"] * torch.fft.ifft2(spectrum).real


class C3a(Method):
    """Chen et al. 2024 (arXiv:2407.19342): dW of circulant blocks, over the number of inputs as in PEFT."""

    config = {"peft_type": "C3A", "block_size": 8, "block_size_pattern": {}, "bias": "none", "init_weights": "xavier_uniform"}

    def shapes(self, outputs, inputs, name):
        size = self.config["block_size"]
        return {"c3a_kernel": (outputs // size, inputs // size, size)}

    def values(self, name, shape, source):
        return 10 * super().values(name, shape, source)

    def weight(self, w, t, name):
        rows = [torch.cat([circulant(kernel) for kernel in row], dim=1) for row in t["c3a_kernel"]]
        return w + torch.cat(rows) / w.shape[1]


class RandLora(Method):
    """Albert et al. 2025 (arXiv:2502.00987): dW = (alpha / r) sum_n B_n L_n A G_n, transposed where inputs are more than outputs.

    The pairing of B's columns with the rows of L A G is PEFT's: B flattened base by base, the rest rank by rank.
    """

    config = {"peft_type": "RANDLORA", "r": 5, "randlora_alpha": 10, "randlora_dropout": 0.0, "save_projection": True}
    config.update(projection_prng_key=0, sparse=False, very_sparse=False, bias="none", fan_in_fan_out=False, init_weights=True)
    fixed = ("randlora_A", "randlora_B")
    # The adapted layers have up to 40 inputs and up to 40 outputs.
    shared = {"randlora_A": (5, 1, INTERMEDIATE), "randlora_B": (INTERMEDIATE, 8, 5)}

    def bases(self, outputs, inputs):
        return -(-min(outputs, inputs) // self.config["r"])

    def shapes(self, outputs, inputs, name):
        n = self.bases(outputs, inputs)
        return {"randlora_lambda": (self.config["r"], n), "randlora_gamma": (n, min(outputs, inputs))}

    def values(self, name, shape, source):
        return super().values(name, shape, source) * numpy.float32(6 if name.endswith(self.fixed) else 1)

    def weight(self, w, t, name):
        n, small, large = self.bases(*w.shape), min(w.shape), max(w.shape)
        p = t["randlora_B"][:large, :n].flatten(start_dim=1)
        q = (t["randlora_lambda"][:, :, None] * t["randlora_A"][:, :, :small] * t["randlora_gamma"]).flatten(end_dim=1)
        update = self.config["randlora_alpha"] / self.config["r"] * p @ q
        return w + (update if w.shape[1] == small else update.T)


class VbLora(Method):
    """Li et al. 2024 (arXiv:2405.15179): dW = B A, their sub-vectors softmax mixtures of the top k vectors of a shared bank."""

    config = {"peft_type": "VBLORA", "r": 3, "num_vectors": 10, "vector_length": 8, "topk": 3, "vblora_dropout": 0.0}
    config.update(init_vector_bank_bound=0.02, init_logits_std=0.1, save_only_topk_weights=False, bias="none", fan_in_fan_out=False)
    shared = {"vblora_vector_bank": (10, 8)}

    def shapes(self, outputs, inputs, name):
        r, vectors, length = self.config["r"], self.config["num_vectors"], self.config["vector_length"]
        return {"vblora_logits_A": (r, inputs // length, vectors), "vblora_logits_B": (outputs // length, r, vectors)}

    def values(self, name, shape, source):
        return 2 * super().values(name, shape, source)

    def mixed(self, logits, bank):
        best, places = logits.topk(self.config["topk"], dim=-1)
        return (torch.softmax(best, dim=-1)[..., None] * bank[places]).sum(-2)

    def weight(self, w, t, name):
        a = self.mixed(t["vblora_logits_A"], t["vblora_vector_bank"]).flatten(start_dim=1)
        b = self.mixed(t["vblora_logits_B"], t["vblora_vector_bank"]).transpose(1, 2).flatten(end_dim=1)
        return w + b @ a


WEIGHT_METHODS = {
    "loha": Loha(),
    "lokr": Lokr(),
    "miss": Miss(),
    "shira": Shira(),
    "hra": Hra(),
    "oft": Oft(),
    "oft-exact": Oft(use_cayley_neumann=False, block_share=True),
    "coft": Oft(coft=True, eps=0.8),
    "boft": Boft(),
    "fourierft": FourierFt(),
    "c3a": C3a(),
    "randlora": RandLora(),
    "vblora": VbLora(),
}


def weight_config(base, method, targets):
    shared = {
        "auto_mapping": None,
        "base_model_name_or_path": base,
        "exclude_modules": None,
        "inference_mode": True,
        "layers_pattern": None,
        "layers_to_transform": None,
        "modules_to_save": ["classifier", "score"],
        "revision": None,
        "target_modules": targets,
        "task_type": "SEQ_CLS",
    }
    return {**shared, **method.config}
