"""config.json of each decoder family as Hugging Face writes it."""
from configs import PROBLEM_TYPES, label_keys
from decoders import HEADS, HIDDEN, POSITIONS, VOCABULARY

HEAD_CLASSES = {
    "causal-lm": "ForCausalLM",
    "single-label": "ForSequenceClassification",
    "token-classification": "ForTokenClassification",
}


def gpt2_keys(family):
    return {
        "activation_function": family.activation,
        "attn_pdrop": 0.1,
        "bos_token_id": family.first_token,
        "embd_pdrop": 0.1,
        "eos_token_id": family.first_token,
        "layer_norm_epsilon": family.epsilon,
        "n_embd": HIDDEN,
        "n_head": HEADS,
        "n_inner": None,
        "n_layer": family.layers,
        "n_positions": POSITIONS,
        "reorder_and_upcast_attn": False,
        "resid_pdrop": 0.1,
        "scale_attn_by_inverse_layer_idx": False,
        "scale_attn_weights": True,
        "summary_activation": None,
        "summary_first_dropout": 0.1,
        "summary_proj_to_labels": True,
        "summary_type": "cls_index",
        "summary_use_proj": True,
    }


def rotary_keys(family):
    """What all families with rotary positions share. A tied pair of tables is written where the class does not imply it."""
    gemma = family.model_type.startswith("gemma")
    return {
        **({"pad_token_id": 0} if gemma else {"tie_word_embeddings": family.tied}),
        "attention_dropout": 0.0,
        "bos_token_id": family.first_token,
        "eos_token_id": 1 if gemma else 2,
        "hidden_size": HIDDEN,
        "intermediate_size": family.intermediate,
        "max_position_embeddings": POSITIONS,
        "num_attention_heads": HEADS,
        "num_hidden_layers": family.layers,
        "num_key_value_heads": family.key_heads,
        "rms_norm_eps": family.epsilon,
        "rope_theta": family.theta,
    }


def own_keys(family):
    """What is written for one family only."""
    alternating = {
        "attention_bias": False,
        "attn_logit_softcapping": family.score_cap,
        "cache_implementation": "hybrid",
        "final_logit_softcapping": family.logit_cap,
        "head_dim": family.head_size,
        "hidden_activation": family.activation,
        "query_pre_attn_scalar": family.score_divisor,
        "sliding_window": family.window,
    }
    return {
        "llama": {
            "attention_bias": "q_proj" in family.biased,
            "head_dim": family.head_size,
            "hidden_act": family.activation,
            "mlp_bias": "up_proj" in family.biased,
            "pretraining_tp": 1,
            "rope_scaling": family.llama3,
        },
        "mistral": {"head_dim": family.head_size, "hidden_act": family.activation, "sliding_window": family.window},
        # A window that is not used, as in the published files.
        "qwen2": {
            "hidden_act": family.activation,
            "max_window_layers": family.layers,
            "rope_scaling": None,
            "sliding_window": 4,
            "use_sliding_window": False,
        },
        "qwen3": {
            "attention_bias": False,
            "head_dim": family.head_size,
            "hidden_act": family.activation,
            "layer_types": ["full_attention"] * family.layers,
            "max_window_layers": family.layers,
            "sliding_window": None,
            "use_sliding_window": False,
        },
        "gemma": {
            "attention_bias": False,
            "head_dim": family.head_size,
            "hidden_act": family.activation,
            "hidden_activation": None,
            "rope_scaling": None,
        },
        "gemma2": {**alternating, "hidden_act": family.activation},
        "gemma3_text": {
            **alternating,
            "rope_local_base_freq": family.local_theta,
            "rope_scaling": None,
            "sliding_window_pattern": 3,
        },
        "phi3": {
            "attention_bias": False,
            "embd_pdrop": 0.0,
            "hidden_act": family.activation,
            "original_max_position_embeddings": POSITIONS,
            "pad_token_id": 0,
            "resid_pdrop": 0.0,
            "rope_scaling": None,
            "sliding_window": None,
        },
    }[family.model_type]


# The first release that has the family, where it is not the one of the other folders.
RELEASES = {"gemma3_text": "4.50.0", "qwen3": "5.0.0"}


def fifth_release(config):
    """The names of Transformers 5: `dtype`, and the rotary embedding's numbers in one place."""
    config["dtype"] = config.pop("torch_dtype")
    config["rope_parameters"] = {"rope_theta": config.pop("rope_theta"), "rope_type": "default"}
    return config


def decoder_config(family, head, labels):
    gpt2 = family.model_type == "gpt2"
    head_class = "LMHeadModel" if gpt2 and head == "causal-lm" else HEAD_CLASSES[head]
    config = {
        **(gpt2_keys(family) if gpt2 else {**rotary_keys(family), **own_keys(family)}),
        **label_keys(labels),
        "architectures": [family.class_name + head_class],
        "initializer_range": 0.02,
        "model_type": family.model_type,
        "torch_dtype": "float32",
        "transformers_version": RELEASES.get(family.model_type, "4.46.0"),
        "use_cache": True,
        "vocab_size": VOCABULARY,
    }
    if head == "single-label":
        config["pad_token_id"] = 0
        config["problem_type"] = PROBLEM_TYPES[head]
    return fifth_release(config) if config["transformers_version"].startswith("5") else config
