#!/usr/bin/python3
"""Writes the same tiny LoRA adapters as PEFT, AdapterHub, mlx-lm and torchtune keep them.

    python3 make_lora_files.py    (made with PyTorch 1.13; the tests do not need it)

Nothing here is Inlay's: names and layouts are those that the libraries document. The order of rows in torchtune is checked
against what it is for: attention scores under its rotary embedding equal those under Hugging Face's.
"""
import json
import math
import pathlib
import sys

import torch

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "models"))
from tensor_file import write_safetensors  # noqa: E402

LAYERS, HIDDEN, INNER, HEADS, KV_HEADS, HEAD_DIM, RANK = 2, 16, 24, 2, 1, 8, 4
LLAMA = {
    "self_attn.q_proj": (HIDDEN, HEADS * HEAD_DIM),
    "self_attn.k_proj": (HIDDEN, KV_HEADS * HEAD_DIM),
    "self_attn.v_proj": (HIDDEN, KV_HEADS * HEAD_DIM),
    "self_attn.o_proj": (HEADS * HEAD_DIM, HIDDEN),
    "mlp.gate_proj": (HIDDEN, INNER),
    "mlp.up_proj": (HIDDEN, INNER),
    "mlp.down_proj": (INNER, HIDDEN),
}
TORCHTUNE = {
    "self_attn.q_proj": "attn.q_proj",
    "self_attn.k_proj": "attn.k_proj",
    "self_attn.v_proj": "attn.v_proj",
    "self_attn.o_proj": "attn.output_proj",
    "mlp.gate_proj": "mlp.w1",
    "mlp.down_proj": "mlp.w2",
    "mlp.up_proj": "mlp.w3",
}


def random_adapter(seed, kinds, dora):
    """{(layer, kind): (A, B, m or None)}"""
    generator = torch.Generator().manual_seed(seed)
    adapter = {}
    for layer in range(LAYERS):
        for kind, (inputs, outputs) in kinds.items():
            a = torch.randn(RANK, inputs, generator=generator)
            b = torch.randn(outputs, RANK, generator=generator)
            m = torch.rand(outputs, generator=generator) + 0.5 if dora else None
            adapter[layer, kind] = (a, b, m)
    return adapter


def put_json(folder, config):
    (folder / "adapter_config.json").write_text(json.dumps(config, indent=2, sort_keys=True))


def folder(case, library):
    path = HERE / case / library
    path.mkdir(parents=True, exist_ok=True)
    return path


def numpy_of(tensors):
    return {name: value.contiguous().numpy() for name, value in tensors.items()}


def put_peft(case, adapter, path_of, alpha, task, targets, dora=False, **more):
    tensors = {}
    for (layer, kind), (a, b, m) in adapter.items():
        stem = "base_model.model." + path_of(layer, kind)
        tensors[stem + ".lora_A.weight"] = a
        tensors[stem + ".lora_B.weight"] = b
        if dora:
            tensors[stem + ".lora_magnitude_vector"] = m
    where = folder(case, "peft")
    write_safetensors(where / "adapter_model.safetensors", numpy_of(tensors))
    config = {"peft_type": "LORA", "task_type": task, "base_model_name_or_path": "tiny", "r": RANK, "lora_alpha": alpha,
              "lora_dropout": 0.0, "target_modules": targets, "use_dora": dora, "bias": "none", "init_lora_weights": True,
              "layers_to_transform": list(range(LAYERS))}
    put_json(where, {**config, **more})


def put_mlx(case, adapter, scale, dora=False):
    tensors = {}
    for (layer, kind), (a, b, m) in adapter.items():
        stem = f"model.layers.{layer}.{kind}"
        tensors[stem + ".lora_a"] = a.T
        tensors[stem + ".lora_b"] = b.T
        if dora:
            tensors[stem + ".m"] = m
    where = folder(case, "mlx")
    write_safetensors(where / "adapters.safetensors", numpy_of(tensors))
    put_json(where, {"fine_tune_type": "dora" if dora else "lora", "num_layers": LAYERS, "model": "tiny",
                     "lora_parameters": {"rank": RANK, "scale": scale, "dropout": 0.0,
                                         "keys": sorted({kind for _, kind in adapter})}})


def to_interleaved(rows, heads):
    """The reverse of torchtune's view(heads, head_dim // 2, 2, r).transpose(1, 2) towards Hugging Face."""
    rest = rows.shape[1:]
    return rows.view(heads, 2, HEAD_DIM // 2, *rest).transpose(1, 2).reshape(heads * HEAD_DIM, *rest)


def put_torchtune(case, adapter, alpha, dora=False):
    tensors = {}
    for (layer, kind), (a, b, m) in adapter.items():
        heads = {"self_attn.q_proj": HEADS, "self_attn.k_proj": KV_HEADS}.get(kind)
        if heads:
            b = to_interleaved(b, heads)
            m = to_interleaved(m, heads) if dora else None
        stem = f"layers.{layer}.{TORCHTUNE[kind]}"
        tensors[stem + ".lora_a.weight"] = a.clone()
        tensors[stem + ".lora_b.weight"] = b.clone()
        if dora:
            tensors[stem + ".magnitude"] = m.clone()
    where = folder(case, "torchtune")
    torch.save(tensors, where / "adapter_model.pt")
    put_json(where, {"peft_type": "LORA", "r": RANK, "lora_alpha": alpha, "use_dora": dora, "base_model_name_or_path": "tiny",
                     "target_modules": sorted({TORCHTUNE[kind].split(".")[-1] for _, kind in adapter})})


def put_adapterhub(case, adapter, path_of, alpha, about, version="adapters.1.2.0", **more):
    tensors = {}
    for (layer, kind), (a, b, m) in adapter.items():
        stem = path_of(layer, kind) + ".loras.tiny"
        tensors[stem + ".lora_A"] = a.clone()
        tensors[stem + ".lora_B"] = b.clone()
        if m is not None:
            tensors[stem + ".m.weight"] = m.clone().view(-1, 1)
    config = {"architecture": "lora", "selfattn_lora": True, "intermediate_lora": False, "output_lora": False, "leave_out": [],
              "r": RANK, "alpha": alpha, "dropout": 0.0, "attn_matrices": ["q", "v"], "composition_mode": "add",
              "init_weights": "lora", "use_gating": False, "vera_d": None, "vera_b": None, "use_dora": False, "dtype": None}
    where = folder(case, "adapterhub")
    torch.save(tensors, where / "pytorch_adapter.bin")
    put_json(where, {"config": {**config, **more}, "hidden_size": HIDDEN, "model_name": "tiny", "name": "tiny",
                     "version": version, **about})


# Rotary embeddings (Su et al. 2021, eq. 34): channel pairs turn by position times 10000^(-2i/d).


def angles(positions):
    frequencies = 10000.0 ** (-torch.arange(0, HEAD_DIM, 2, dtype=torch.float64) / HEAD_DIM)
    return positions.double()[:, None] * frequencies


def turn(x, y, angle):
    return x * angle.cos() - y * angle.sin(), y * angle.cos() + x * angle.sin()


def rotate_halves(x):  # (tokens, heads, head_dim), Hugging Face
    angle = angles(torch.arange(x.shape[0]))[:, None, :]
    return torch.cat(turn(x[..., : HEAD_DIM // 2], x[..., HEAD_DIM // 2 :], angle), -1)


def rotate_neighbours(x):  # torchtune
    angle = angles(torch.arange(x.shape[0]))[:, None, :]
    return torch.stack(turn(x[..., 0::2], x[..., 1::2], angle), -1).flatten(-2)


def check_interleaving():
    x = torch.randn(5, HIDDEN, dtype=torch.float64, generator=torch.Generator().manual_seed(9))
    q, k = (torch.randn(HEADS * HEAD_DIM, HIDDEN, dtype=torch.float64, generator=torch.Generator().manual_seed(s)) for s in (1, 2))

    def scores(q_rows, k_rows, rotate):
        query, key = (rotate((x @ rows.T).view(5, HEADS, HEAD_DIM)) for rows in (q_rows, k_rows))
        return torch.einsum("qhd,khd->hqk", query, key)

    here = scores(q, k, rotate_halves)
    there = scores(to_interleaved(q, HEADS), to_interleaved(k, HEADS), rotate_neighbours)
    assert (here - there).abs().max() < 1e-12, "the order of rows is wrong"
    assert (here - scores(q, k, rotate_neighbours)).abs().max() > 0.1


def llama_path(layer, kind):
    return f"model.layers.{layer}.{kind}"


def main():
    check_interleaving()
    config = {"model_type": "llama", "hidden_size": HIDDEN, "intermediate_size": INNER, "num_attention_heads": HEADS,
              "num_key_value_heads": KV_HEADS, "head_dim": HEAD_DIM, "num_hidden_layers": LAYERS, "vocab_size": 32}
    (HERE / "llama").mkdir(exist_ok=True)
    (HERE / "llama" / "config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
    llama = {"model_type": "llama", "model_class": "LlamaAdapterModel"}

    adapter = random_adapter(1, LLAMA, dora=False)
    put_peft("llama-lora", adapter, llama_path, 10, "CAUSAL_LM", sorted(LLAMA))
    put_mlx("llama-lora", adapter, 2.5)
    put_torchtune("llama-lora", adapter, 10)

    adapter = random_adapter(2, LLAMA, dora=True)
    put_peft("llama-dora", adapter, llama_path, 8, "CAUSAL_LM", sorted(LLAMA), dora=True)
    put_mlx("llama-dora", adapter, 2.0, dora=True)
    put_torchtune("llama-dora", adapter, 8, dora=True)

    # rsLoRA: alpha / sqrt(r) = 8, which is alpha = 32 without it.
    kinds = {kind: LLAMA[kind] for kind in ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "mlp.down_proj")}
    adapter = random_adapter(3, kinds, dora=False)
    put_peft("llama-qkv-down", adapter, llama_path, 16, "CAUSAL_LM", sorted(kinds), use_rslora=True)
    assert 16 / math.sqrt(RANK) == 32 / RANK
    put_mlx("llama-qkv-down", adapter, 8.0)
    put_torchtune("llama-qkv-down", adapter, 32)
    put_adapterhub("llama-qkv-down", adapter, llama_path, 32, llama, attn_matrices=["q", "k", "v"], intermediate_lora=True)

    # DoRA of AdapterHub is the paper's at alpha = r on a base without biases.
    kinds = {kind: LLAMA[kind] for kind in ("self_attn.q_proj", "self_attn.v_proj")}
    adapter = random_adapter(4, kinds, dora=True)
    put_peft("llama-qv-dora", adapter, llama_path, RANK, "CAUSAL_LM", sorted(kinds), dora=True)
    put_adapterhub("llama-qv-dora", adapter, llama_path, RANK, llama, use_dora=True)

    bert = {"model_type": "bert", "model_class": "BertAdapterModel"}
    kinds = {kind: (HIDDEN, HIDDEN) for kind in ("attention.self.query", "attention.self.value")}
    adapter = random_adapter(5, kinds, dora=False)
    put_peft("bert", adapter, lambda layer, kind: f"encoder.layer.{layer}.{kind}", 6, "FEATURE_EXTRACTION", sorted(kinds))
    put_adapterhub("bert", adapter, lambda layer, kind: f"bert.encoder.layer.{layer}.{kind}", 6, bert)


if __name__ == "__main__":
    main()
