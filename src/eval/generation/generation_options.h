// How text is generated from a language model's logits. Names, defaults and order of effect are
// those of Hugging Face's GenerationConfig where it has them; the command line, a run's files and
// the help read the one list of fields.
//
//   GenerationOptions options;
//   apply_text(options, "do_sample=true,temperature=0.8,top_k=0,min_p=0.05", "--generation");
//   check_options(options);
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/fields.h"

namespace inlay {

struct GenerationOptions {
  bool do_sample = false;
  double temperature = 1;
  int64_t top_k = 50;
  double top_p = 1;
  double min_p = 0;
  double repetition_penalty = 1;
  int64_t min_new_tokens = 0;
  int64_t max_new_tokens = 256;
  std::vector<std::string> stop_strings;
  int64_t logprobs = 0;
  int64_t seed = 0;
  // The tokens that end a text: the model's own, never a flag's. Without any only a stop string or
  // max_new_tokens ends it.
  std::vector<int32_t> eos_token_ids;

  // Whether the likeliest token is taken each time, so that `seed` and all that shapes a
  // distribution say nothing.
  bool greedy() const { return !do_sample || temperature == 0; }

  void fields(FieldVisitor& visit);
};

// kUsage with the field, its value and the range where a value makes no sense.
void check_options(const GenerationOptions& options);

}  // namespace inlay
