#include "train/train_config.h"

#include <cmath>

#include "base/error.h"
#include "check/check.h"
#include "models/model.h"

namespace inlay {

void TrainConfig::fields(FieldVisitor& visit) {
  visit("model", model, "a pulled name or a Hugging Face model folder");
  visit("data", data,
        "a pulled name, a file (CSV, TSV, JSONL; - for standard input) or a folder of them");
  visit("train_file", train_file, "instead of data: the examples to train on");
  visit("validation_file", validation_file, "instead of a split: the examples to choose by");
  visit("test_file", test_file, "instead of a split: the examples to test on");
  visit("text_column", text_column, "the column with the text; guessed when empty");
  visit("text_pair_column", text_pair_column,
        "the column with the second text of a pair; guessed when empty");
  visit("label_column", label_column, "the column with the label; guessed when empty");
  visit("further_columns", further_columns,
        "the columns of choices, negatives or an answer's start, with commas; guessed when empty");
  visit("data_format", data_format,
        "of causal-lm: text, completion, alpaca, sharegpt or messages; recognised when empty");
  visit.choice("loss_on", loss_on, {"assistant", "all", "messages"},
               "what causal-lm learns of a conversation: what the assistant says, everything, or "
               "the messages that the data marks");
  visit.choice("too_long", too_long, {"split", "truncate"},
               "what causal-lm does with texts beyond max_length: go on in a further sequence, or "
               "cut them");
  visit("packing", packing,
        "whether causal-lm counts as one example as many sequences as max_length tokens take, each "
        "with attention and positions to itself");
  visit("task", task,
        "what the outputs mean; auto: text-classification, or image-classification where the base "
        "reads images");
  visit("method", method, "what is trained, as name[field=value,...]");
  visit.choice("pooling", pooling, {"auto", "pooler", "first", "mean", "tokens"},
               "what the head reads; auto: the family's own head, mean without a pooler");
  visit("seed", seed, "the one seed of initial values, dropout, order and splits");
  visit("epochs", epochs, "passes over the training part; 0: the method's default");
  visit("batch_size", batch_size, "examples per optimizer step");
  visit("micro_batch", micro_batch,
        "examples per forward pass; 0: as many as micro_batch_tokens allow. Changes no bit in f32");
  visit("micro_batch_tokens", micro_batch_tokens,
        "tokens per forward pass of several examples; 0: 8,192, or fewer where memory is short");
  visit("max_length", max_length, "tokens an example is cut to; 0: what model and tokenizer allow");
  visit("learning_rate", learning_rate, "peak rate of the adapter; 0: the method's default");
  visit("head_learning_rate", head_learning_rate,
        "peak rate of the head; 0: the adapter's, but at least 1e-3");
  visit.choice("schedule", schedule, {"linear", "cosine", "constant"},
               "how the rate falls after the warm-up");
  visit("warmup", warmup, "share of the steps over which the rate rises from 0");
  visit.choice("optimizer", optimizer, {"adamw", "sgd"}, "how gradients become updates");
  visit("weight_decay", weight_decay, "decoupled decay of matrices; biases and norms have none");
  visit("momentum", momentum, "of sgd");
  visit("clip", clip, "largest norm of the whole gradient; 0: no limit");
  visit("label_smoothing", label_smoothing, "share of a target spread over all classes");
  visit.choice("class_weights", class_weights, {"none", "balanced"},
               "whether rare classes weigh more in the loss");
  visit("head_dropout", head_dropout, "dropout inside the head; the base has none");
  visit("metric", metric,
        "what the best epoch is chosen by on the validation part; auto: the task's own");
  visit("patience", patience,
        "stop after this many epochs without a better validation metric; 0: never");
  visit("validation_share", validation_share, "share of the examples to choose by");
  visit("test_share", test_share, "share of the examples to test on");
  visit("shots", shots, "keep this many training examples per class; 0: all");
  visit("folds", folds, "cross-validation with this many folds instead of one split; 0: none");
  visit.choice("compute", compute, {"auto", "f32", "bf16"},
               "type of matrix products; auto: bf16 where the CPU has it");
  visit("quantise", quantise,
        "what the base's linear layers are held in: none (as its files have them), int8, nf4, q8_0 "
        "or q4_0");
  visit("checkpoint_steps", checkpoint_steps, "steps between checkpoints; 0: one per epoch");
  visit.choice(
      "memory", memory, {"auto", "fast", "unpacked", "recompute", "low"},
      "what a step does to take less memory: nothing, leave weights unpacked, compute layers again "
      "in the backward pass, or both; auto: the first that fits");
  visit("memory_limit_mb", memory_limit_mb,
        "memory that the run may take, in MB; 0: what the machine has free");
  visit("adapters", adapters,
        "finished adapters that a composition in method names, as name=FOLDER,name=FOLDER");
  visit("allow", allow, "ids of checks before training whose errors do not stop it, such as C-7");
  visit.choice("triplet_distance", triplet_distance, {"cosine", "euclidean"},
               "what sentence-triplets compares");
  visit("triplet_margin", triplet_margin,
        "how much closer a triplet's positive must be; 0: 0.5 for cosine, 5 for euclidean");
  visit("similarity_scale", similarity_scale,
        "what sentence-retrieval multiplies cosines by: 1 / temperature");
  visit("beta", beta,
        "of dpo: how dear it is to leave the base, more being dearer; of orpo: the weight of the "
        "odds");
  visit("image_size", image_size,
        "height and width that pictures are resized to; 0: what the base's files say");
  visit("augment", augment,
        "how training pictures are changed at random, such as flip=0.5,crop_scale=0.5; empty: not");
  visit.choice("unreadable", unreadable, {"fail", "skip"},
               "what becomes of a picture that cannot be read: the run ends before it begins, or "
               "goes on without it");
  visit.choice("reuse", reuse, {"auto", "off"},
               "whether layers below everything that is trained are computed once and kept, where "
               "examples are the same in every epoch; the results are the same bits");
}

void check_config(const TrainConfig& c) {
  auto at_least = [](const char* name, double value, double low) {
    require(value >= low && std::isfinite(value), ErrorKind::kUsage,
            "{} is {}; expected a number, {} or more", name, value, low);
  };
  auto share = [](const char* name, double value) {
    require(value >= 0 && value < 1, ErrorKind::kUsage, "{} is {}; expected 0 or more and below 1",
            name, value);
  };
  at_least("seed", static_cast<double>(c.seed), 0);
  at_least("epochs", static_cast<double>(c.epochs), 0);
  at_least("batch_size", static_cast<double>(c.batch_size), 1);
  at_least("micro_batch", static_cast<double>(c.micro_batch), 0);
  at_least("micro_batch_tokens", static_cast<double>(c.micro_batch_tokens), 0);
  at_least("max_length", static_cast<double>(c.max_length), 0);
  at_least("learning_rate", c.learning_rate, 0);
  at_least("head_learning_rate", c.head_learning_rate, 0);
  at_least("weight_decay", c.weight_decay, 0);
  at_least("clip", c.clip, 0);
  at_least("patience", static_cast<double>(c.patience), 0);
  at_least("shots", static_cast<double>(c.shots), 0);
  at_least("memory_limit_mb", static_cast<double>(c.memory_limit_mb), 0);
  require_check_ids(c.allow);
  at_least("checkpoint_steps", static_cast<double>(c.checkpoint_steps), 0);
  at_least("triplet_margin", c.triplet_margin, 0);
  at_least("similarity_scale", c.similarity_scale, 1e-3);
  at_least("beta", c.beta, 1e-3);
  require(c.image_size >= 0 && c.image_size <= 4096, ErrorKind::kUsage,
          "image_size is {}; expected 0 to 4096", c.image_size);
  share("warmup", c.warmup);
  share("momentum", c.momentum);
  share("label_smoothing", c.label_smoothing);
  share("head_dropout", c.head_dropout);
  share("validation_share", c.validation_share);
  share("test_share", c.test_share);
  require(
      !c.packing || c.max_length > 0, ErrorKind::kUsage,
      "packing fills sequences of max_length tokens, and max_length is not given; give it, such "
      "as max_length=1024");
  quantisation_named(c.quantise);
  require(c.folds == 0 || c.folds >= 2, ErrorKind::kUsage, "folds is {}; expected 0 or at least 2",
          c.folds);
}

}  // namespace inlay
