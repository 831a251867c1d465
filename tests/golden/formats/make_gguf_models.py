#!/usr/bin/python3
"""Writes llama.gguf, gemma.gguf and gpt2.gguf with numpy: golden folders as llama.cpp's converter would have them.

    python3 make_gguf_models.py

What the converter changes (convert_hf_to_gguf.py, modify_tensors) is done as it says there. What the models give is in
the folders: expected.safetensors of tests/golden/models, from PyTorch.
"""

import json
import math
import pathlib
import struct
import sys

import numpy as np

here = pathlib.Path(__file__).parent
sys.path.insert(0, str(here.parent / "models"))
from tensor_file import read_safetensors  # noqa: E402

OUTSIDE = {"model.embed_tokens": "token_embd", "model.norm": "output_norm", "transformer.wte": "token_embd",
           "transformer.wpe": "position_embd", "transformer.ln_f": "output_norm"}
INSIDE = {"self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
          "self_attn.o_proj": "attn_output", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up",
          "mlp.down_proj": "ffn_down", "input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm",
          "attn.c_attn": "attn_qkv", "attn.c_proj": "attn_output", "mlp.c_fc": "ffn_up", "mlp.c_proj": "ffn_down",
          "ln_1": "attn_norm", "ln_2": "ffn_norm"}


def text(value):
    data = value.encode()
    return struct.pack("<Q", len(data)) + data


def entry(key, value):
    if isinstance(value, str):
        return text(key) + struct.pack("<I", 8) + text(value)
    if isinstance(value, int):
        return text(key) + struct.pack("<II", 4, value)
    return text(key) + struct.pack("<If", 6, value)


def write_gguf(path, metadata, tensors):
    """All tensors as F32, each at a multiple of 32 bytes."""
    header = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(metadata))
    header += b"".join(entry(key, value) for key, value in metadata.items())
    data = b""
    for name, array in tensors.items():
        sizes = array.shape[::-1]
        header += text(name) + struct.pack(f"<I{len(sizes)}q", len(sizes), *sizes) + struct.pack("<IQ", 0, len(data))
        data += array.astype("<f4").tobytes()
        data += b"\0" * (-len(data) % 32)
    header += b"\0" * (-len(header) % 32)
    path.write_bytes(header + data)


def permute(weights, heads):
    return (weights.reshape(heads, 2, weights.shape[0] // heads // 2, *weights.shape[1:])
            .swapaxes(1, 2).reshape(weights.shape))


def rope_factors(config):
    scaling, dim = config["rope_scaling"], config["head_dim"]
    low = scaling["original_max_position_embeddings"] / scaling["low_freq_factor"]
    high = scaling["original_max_position_embeddings"] / scaling["high_freq_factor"]
    factors = []
    for i in range(0, dim, 2):
        wavelength = 2 * math.pi * config["rope_theta"] ** (i / dim)
        if wavelength < high:
            factors.append(1)
        elif wavelength > low:
            factors.append(scaling["factor"])
        else:
            smooth = (scaling["original_max_position_embeddings"] / wavelength - scaling["low_freq_factor"]) / (
                scaling["high_freq_factor"] - scaling["low_freq_factor"])
            factors.append(1 / ((1 - smooth) / scaling["factor"] + smooth))
    return np.array(factors, np.float32)


def own_name(name):
    module, ending = name.rsplit(".", 1)
    if module in OUTSIDE:
        return f"{OUTSIDE[module]}.{ending}"
    _, _, number, rest = module.split(".", 3)
    return f"blk.{number}.{INSIDE[rest]}.{ending}"


def converted(architecture, config, name, array):
    if architecture == "llama" and ".q_proj." in name:
        return permute(array, config["num_attention_heads"])
    if architecture == "llama" and ".k_proj." in name:
        return permute(array, config["num_key_value_heads"])
    if architecture == "gemma" and name.endswith("norm.weight"):
        return array + np.float32(1)
    if architecture == "gpt2" and name.endswith((".c_attn.weight", ".c_proj.weight", ".c_fc.weight")):
        return array.T
    return array


def settings(architecture, config):
    if architecture == "gpt2":
        values = {"context_length": config["n_positions"], "embedding_length": config["n_embd"],
                  "block_count": config["n_layer"], "feed_forward_length": 4 * config["n_embd"],
                  "attention.head_count": config["n_head"],
                  "attention.layer_norm_epsilon": config["layer_norm_epsilon"]}
    else:
        values = {"context_length": config["max_position_embeddings"], "embedding_length": config["hidden_size"],
                  "block_count": config["num_hidden_layers"], "feed_forward_length": config["intermediate_size"],
                  "attention.head_count": config["num_attention_heads"],
                  "attention.head_count_kv": config["num_key_value_heads"],
                  "attention.key_length": config["head_dim"], "attention.value_length": config["head_dim"],
                  "attention.layer_norm_rms_epsilon": config["rms_norm_eps"],
                  "rope.freq_base": float(config["rope_theta"])}
    return {"general.architecture": architecture, **{f"{architecture}.{key}": v for key, v in values.items()}}


for architecture, golden in [("llama", "llama-tied-causal-lm"), ("gemma", "gemma-causal-lm"),
                             ("gpt2", "gpt2-causal-lm")]:
    folder = here.parent / "models" / golden
    config = json.loads((folder / "config.json").read_text())
    tensors = {}
    for name, array in read_safetensors(folder / "model.safetensors").items():
        if name == "lm_head.weight" or name.endswith((".attn.bias", ".attn.masked_bias")):
            continue  # tied, and buffers
        tensors[own_name(name)] = converted(architecture, config, name, array)
    if architecture == "llama":
        tensors["rope_freqs.weight"] = rope_factors(config)
    write_gguf(here / f"{architecture}.gguf", settings(architecture, config), tensors)
