"""Trainable tokens over the encoders, and their files as PEFT writes them."""
import torch

from adapters import LoraEncoder
from encoders import HIDDEN, Encoder

PREFIX = LoraEncoder.PREFIX
TABLE = "embeddings.word_embeddings"
DELTA = "token_adapter.trainable_tokens_delta"


class TokensEncoder(Encoder):
    """PEFT's definition: the table is W.index_copy(0, token_indices, delta), wherever it is read: a tied decoder too."""

    def __init__(self, family, parameters, prefix, config, adapter):
        table, rows = prefix + TABLE, torch.tensor(config["token_indices"])
        trained = parameters[table + ".weight"].index_copy(0, rows, adapter[f"{PREFIX}{table}.{DELTA}"])
        super().__init__(family, {**parameters, table + ".weight": trained}, prefix)
        self.table = table

    def merged(self):
        return {self.table: self.parameters[self.table + ".weight"]}


def tokens_shapes(config, values):
    table = next(key for key in values if key.endswith(TABLE + ".weight"))[: -len(".weight")]
    return {f"{PREFIX}{table}.{DELTA}": (len(config["token_indices"]), HIDDEN)}


def tokens_config(base, tokens):
    return {
        "auto_mapping": None,
        "base_model_name_or_path": base,
        "inference_mode": True,
        "init_weights": True,
        "modules_to_save": ["classifier", "score"],
        "peft_type": "TRAINABLE_TOKENS",
        "revision": None,
        "target_modules": ["word_embeddings"],
        "task_type": "SEQ_CLS",
        "token_indices": tokens,
    }
