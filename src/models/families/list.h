// All families, one line each; a line names the file and the function family_<name>() in it.
INLAY_FAMILY(bert)
INLAY_FAMILY(distilbert)
INLAY_FAMILY(gemma)
INLAY_FAMILY(gpt2)
INLAY_FAMILY(llama)
INLAY_FAMILY(phi3)
INLAY_FAMILY(roberta)
