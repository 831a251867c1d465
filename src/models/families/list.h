// All families, one line each; a line names the file and the function family_<name>() in it.
INLAY_FAMILY(bert)
INLAY_FAMILY(distilbert)
INLAY_FAMILY(roberta)
