"""What decoders.py computes against other formulations of the same: complex numbers, the published cases of Llama 3.1's
frequencies, masks built otherwise, and PyTorch's own layers where it has them."""
import math

import torch

from decoders import FAMILIES, HEADS, HIDDEN, LLAMA3_SCALING, Gpt2, decoder, gpt2_shapes, rotary_frequencies, rotate


def assert_close(found, expected):
    assert torch.allclose(found, expected, rtol=1e-11, atol=1e-12), (found - expected).abs().max()


def check_rotation():
    """Su et al. 2021, section 3.2.1: a pair of channels is a complex number, and position m turns it by m theta."""
    frequencies = rotary_frequencies(8, 10000.0)
    assert_close(frequencies, torch.tensor([1.0, 0.1, 0.01, 0.001], dtype=torch.float64))
    x = torch.linspace(-1.0, 2.0, 5 * 8, dtype=torch.float64).reshape(5, 8)
    pairs = torch.complex(x[:, :4], x[:, 4:])
    positions = torch.arange(5, dtype=torch.float64)[:, None]
    turned = pairs * torch.exp(torch.complex(torch.zeros(5, 4, dtype=torch.float64), positions * frequencies))
    assert_close(rotate(x, frequencies), torch.cat([turned.real, turned.imag], dim=-1))


def check_llama3_scaling():
    """Long, short and medium waves, one by one, and each of them occurs."""
    family, kinds = FAMILIES["llama-tied"], set()
    length, factor = LLAMA3_SCALING["original_max_position_embeddings"], LLAMA3_SCALING["factor"]
    low, high = LLAMA3_SCALING["low_freq_factor"], LLAMA3_SCALING["high_freq_factor"]
    expected = []
    for i in range(family.head_size // 2):
        frequency = 1.0 / family.theta ** (2 * i / family.head_size)
        wave = 2 * math.pi / frequency
        if wave < length / high:
            kind, value = "short", frequency
        elif wave > length / low:
            kind, value = "long", frequency / factor
        else:
            smooth = (length / wave - low) / (high - low)
            kind, value = "medium", (1 - smooth) * frequency / factor + smooth * frequency
        kinds.add(kind)
        expected.append(value)
    assert kinds == {"short", "medium", "long"}
    found = rotary_frequencies(family.head_size, family.theta, LLAMA3_SCALING)
    assert_close(found, torch.tensor(expected, dtype=torch.float64))


def check_masks():
    """The keys that a query sees, counted by hand."""
    mistral = decoder(FAMILIES["mistral"], {})
    seen = [[j for j in range(6) if mistral.visible(0, 6)[i, j]] for i in range(6)]
    assert seen == [[0], [0, 1], [0, 1, 2], [0, 1, 2, 3], [1, 2, 3, 4], [2, 3, 4, 5]]
    widest = [int(decoder(FAMILIES["gemma3"], {}).visible(index, 6).sum(dim=1).max()) for index in range(4)]
    assert widest == [4, 4, 6, 4]


def drawn(shape, seed):
    return 0.3 * torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def check_gpt2_layer():
    """torch.nn.TransformerEncoderLayer, norms first, with the transposed weights and a mask of later tokens."""
    family, at = FAMILIES["gpt2"], "transformer.h.0."
    parameters = {name: drawn(shape, seed) for seed, (name, shape) in enumerate(gpt2_shapes(family).items())}
    layer = torch.nn.TransformerEncoderLayer(
        HIDDEN,
        HEADS,
        family.intermediate,
        dropout=0.0,
        activation=lambda x: torch.nn.functional.gelu(x, approximate="tanh"),
        layer_norm_eps=family.epsilon,
        norm_first=True,
        dtype=torch.float64,
    )
    names = {
        "self_attn.in_proj_": "attn.c_attn.",
        "self_attn.out_proj.": "attn.c_proj.",
        "linear1.": "mlp.c_fc.",
        "linear2.": "mlp.c_proj.",
        "norm1.": "ln_1.",
        "norm2.": "ln_2.",
    }
    state = {theirs + part: parameters[at + ours + part].t() for theirs, ours in names.items() for part in ("weight", "bias")}
    layer.load_state_dict(state)
    x = drawn((9, HIDDEN), 100)
    later = torch.ones(9, 9, dtype=torch.bool).triu(diagonal=1)
    assert_close(Gpt2(family, parameters).layer(0, x), layer(x[:, None], src_mask=later)[:, 0])


def check_shared_heads():
    """Two key heads for four query heads are four key heads of which neighbours are equal."""
    queries, keys, values = (list(drawn((7, 4 * 8), seed).split(8, dim=-1)) for seed in (1, 2, 3))
    shared = decoder(FAMILIES["llama"], {}).attend(0, queries, keys[:2], values[:2])
    repeated = [[heads[0], heads[0], heads[1], heads[1]] for heads in (keys, values)]
    stacked = [torch.stack(heads) for heads in (queries, *repeated)]
    scores = torch.einsum("hqd,hkd->hqk", *stacked[:2]) / math.sqrt(8)
    weights = torch.softmax(scores + torch.full((7, 7), -math.inf, dtype=torch.float64).triu(diagonal=1), dim=-1)
    assert_close(shared, torch.einsum("hqk,hkd->qhd", weights, stacked[2]).reshape(7, -1))


def check_all():
    check_rotation()
    check_llama3_scaling()
    check_masks()
    check_gpt2_layer()
    check_shared_heads()
