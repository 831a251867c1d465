"""config.json of each family as Hugging Face writes it."""
from encoders import HEADS, HIDDEN, INTERMEDIATE, LAYERS, POSITIONS, VOCABULARY

PROBLEM_TYPES = {
    "single-label": "single_label_classification",
    "multi-label": "multi_label_classification",
    "regression": "regression",
}
CLASS_NAMES = {"bert": "Bert", "roberta": "Roberta", "xlm-roberta": "XLMRoberta", "distilbert": "DistilBert"}
CLASS_ENDINGS = {
    "token-classification": "ForTokenClassification",
    "masked-lm": "ForMaskedLM",
    "sentence-embedding": "Model",
}


def sizes(family):
    if family.model_type == "distilbert":
        return {
            "activation": "gelu",
            "attention_dropout": 0.1,
            "dim": HIDDEN,
            "dropout": 0.1,
            "hidden_dim": INTERMEDIATE,
            "n_heads": HEADS,
            "n_layers": LAYERS,
            "qa_dropout": 0.1,
            "seq_classif_dropout": 0.2,
            "sinusoidal_pos_embds": False,
            "tie_weights_": True,
        }
    special = {} if family.model_type == "bert" else {"bos_token_id": 0, "eos_token_id": 2}
    return {
        **special,
        "attention_probs_dropout_prob": 0.1,
        "classifier_dropout": None,
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.1,
        "hidden_size": HIDDEN,
        "intermediate_size": INTERMEDIATE,
        "layer_norm_eps": family.epsilon,
        "num_attention_heads": HEADS,
        "num_hidden_layers": LAYERS,
        "position_embedding_type": "absolute",
        "type_vocab_size": family.segments,
        "use_cache": True,
    }


def label_keys(labels):
    """Hugging Face leaves num_labels out: it is the length of id2label."""
    if not labels:
        return {}
    names = [f"LABEL_{i}" for i in range(labels)]
    return {"id2label": {str(i): name for i, name in enumerate(names)}, "label2id": {name: i for i, name in enumerate(names)}}


def model_config(family, head, labels):
    ending = CLASS_ENDINGS.get(head, "ForSequenceClassification")
    config = {
        **sizes(family),
        "architectures": [CLASS_NAMES[family.model_type] + ending],
        "initializer_range": 0.02,
        "max_position_embeddings": POSITIONS,
        "model_type": family.model_type,
        "pad_token_id": family.pad,
        "torch_dtype": "float32",
        "transformers_version": "4.46.0",
        "vocab_size": VOCABULARY,
    }
    config.update(label_keys(labels))
    if head in PROBLEM_TYPES:
        config["problem_type"] = PROBLEM_TYPES[head]
    return config
