// Everything that decides a training run, with defaults that work on little data. The command line,
// config.json of a run, the manifest and the help all read the one list of fields.
#pragma once

#include <string>
#include <vector>

#include "base/fields.h"

namespace inlay {

struct TrainConfig {
  std::string model;
  std::string data;
  std::string train_file, validation_file, test_file;
  std::string text_column, text_pair_column, label_column, further_columns;
  std::string data_format;
  std::string loss_on = "assistant";
  std::string too_long = "split";
  bool packing = false;
  std::string task = "auto";
  std::string method = "lora";
  std::string pooling = "auto";
  int64_t seed = 1;
  int64_t epochs = 0;
  int64_t batch_size = 32;
  int64_t micro_batch = 0;
  int64_t micro_batch_tokens = 0;
  int64_t max_length = 0;
  double learning_rate = 0;
  double head_learning_rate = 0;
  std::string schedule = "linear";
  double warmup = 0.06;
  std::string optimizer = "adamw";
  double weight_decay = 0.01;
  double momentum = 0.9;
  double clip = 1.0;
  double label_smoothing = 0;
  std::string class_weights = "none";
  double head_dropout = 0.1;
  std::string metric = "auto";
  int64_t patience = 0;
  double validation_share = 0.1;
  double test_share = 0.1;
  int64_t shots = 0;
  int64_t folds = 0;
  std::string compute = "auto";
  std::string quantise = "none";
  int64_t checkpoint_steps = 0;
  std::string memory = "auto";
  int64_t memory_limit_mb = 0;
  std::vector<std::string> allow;
  std::vector<std::string> adapters;
  std::string triplet_distance = "cosine";
  double triplet_margin = 0;
  double similarity_scale = 20;
  double beta = 0.1;
  int64_t image_size = 0;
  std::string augment;
  std::string unreadable = "fail";
  std::string reuse = "auto";

  void fields(FieldVisitor& visit);
};

// Fails (kUsage) with the field, its value and the range where a value makes no sense.
void check_config(const TrainConfig& config);

}  // namespace inlay
