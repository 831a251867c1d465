#!/usr/bin/python3
"""Writes what SentencePiece itself (Debian's python3-sentencepiece) makes of the texts of cases.json, in which it reads no
special tokens: sentence_piece/<model>/own_ids.json."""
import json
import pathlib

import sentencepiece

here = pathlib.Path(__file__).parent
texts = [case["text"] for case in json.loads((here / "cases.json").read_text()) if set(case) == {"text"}]
for model in ["llama", "gemma"]:
    folder = here / "sentence_piece" / model
    processor = sentencepiece.SentencePieceProcessor(model_file=str(folder / "tokenizer.model"))
    rows = [{"text": text, "ids": processor.encode(text)} for text in texts]
    (folder / "own_ids.json").write_text(json.dumps(rows, ensure_ascii=False, separators=(",", ":")) + "\n")
