// What a LoRA adapter means, whatever file it came from: for a linear layer y = W x + b
//
//   LoRA (Hu et al. 2021, eq. 3)   y = W x + b + s (B A x + lora_bias)
//   DoRA (Liu et al. 2024, eq. 5)  y = m / |W + s B A| (W + s B A) x + b     |.| over each row
//
// The readers of exchange/ make one from a folder, the writers put one into a folder. Nothing here
// needs the base model.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "formats/safetensors.h"
#include "tensor/tensor.h"

namespace inlay::exchange {

struct LoraModule {
  std::string name;  // in Hugging Face's model: "model.layers.0.self_attn.q_proj"
  Tensor a;          // (rank, in)
  Tensor b;          // (out, rank)
  double scale = 1;  // s, with rsLoRA and patterns resolved
  Tensor bias;       // PEFT's lora_bias (out); undefined without
  Tensor magnitude;  // DoRA's m (out); undefined without

  int64_t rank() const { return a.dim(0); }
  int64_t in() const { return a.dim(1); }
  int64_t out() const { return b.dim(0); }
  int64_t parameters() const;
};

struct LoraAdapter {
  std::string name;
  std::string base_name;            // as the source names its base; may be empty
  std::string model_type;           // "llama"; empty when the source does not say
  std::vector<LoraModule> modules;  // sorted by name
  std::vector<NamedTensor> head;    // trained modules beside the adapter, by Hugging Face's names
  std::vector<std::string> head_modules;  // PEFT's modules_to_save
  bool foreign_head = false;  // the head's names are AdapterHub's or Inlay's, not Hugging Face's
  std::string task_type;      // PEFT's, of the model that was wrapped; empty when not known
  std::string head_type;      // AdapterHub's; empty when not known
  Json label_numbers;         // {"negative": 0, ...}; null when not known
  // The model that was wrapped is the bare one, whose names lack `prefix`.
  bool bare = false;
  std::string prefix;  // of the base within a model with a head: "model."
  double dropout = 0;
  Json peft = Json::object();      // PEFT's keys that other formats lack, as they were
  Json record;                     // what Inlay records about the adapter; null without
  std::vector<std::string> notes;  // what a reader or writer did that its user should know

  bool dora() const;
  int64_t parameters() const;
  // Every module's scale and rank when they are all the same.
  std::optional<double> common_scale() const;
  std::optional<int64_t> common_rank() const;
};

// kInput listing the modules whose tensors do not fit together: not floating-point matrices
// A (rank, in) and B (out, rank) with a vector of `out`, or a part of DoRA only here and there.
void check_modules(const LoraAdapter& adapter, const std::string& where);

// kInput listing the modules that are missing: those of one parent ("self_attn") must all stand in
// the same layers, and these be `layers`, or without them follow each other at one distance, as
// they do in models whose layers are not all alike.
void check_complete(const std::vector<LoraModule>& modules, const std::vector<int64_t>& layers,
                    const std::string& where);

// Names with at most twelve shown, for messages.
std::string listed(const std::vector<std::string>& names);

}  // namespace inlay::exchange
