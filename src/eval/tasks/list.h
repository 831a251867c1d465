// All tasks, one line each; a line names the file and the function task_<name>() in it.
INLAY_TASK(text_classification)
INLAY_TASK(multi_label_classification)
INLAY_TASK(regression)
INLAY_TASK(token_classification)
INLAY_TASK(masked_lm)
INLAY_TASK(sentence_embedding)
