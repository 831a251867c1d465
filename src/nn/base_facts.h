// What is known about a loaded base besides its weights: names, sizes, identity. Methods and
// formats read it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "nn/head.h"
#include "nn/site.h"

namespace inlay {

struct BaseFacts {
  std::string model_type;  // "bert"
  std::string prefix;      // "bert.": what module names carry in a model with a head
  std::string bare_class;  // "BertModel"
  int64_t hidden = 0, layers = 0, vocabulary = 0;
  int64_t max_tokens = 0;      // the longest sequence there are positions for
  int64_t first_position = 0;  // the row of the position table that the first token reads
  int64_t type_count = 0;      // rows of the token type table, 0 without one
  bool has_pooler = false;
  int64_t pooled = 0;   // channels that the pooler gives; 0: as many as the hidden states have
  bool causal = false;  // a token sees those before it alone
  bool images = false;  // it reads pixels, not tokens
  MapSize image_size;   // that its positions are for; none: any size
  // Hugging Face's own heads for the family.
  HeadLayout sequence_head, token_head;
  HeadLayout span_head = {.input = HeadInput::kTokens, .output = "qa_outputs"};
  HeadLayout choice_head = {.input = HeadInput::kPooler, .output = "classifier"};
  // Of our own; what its levels are is found out by looking (eval/pyramid_levels.h).
  HeadLayout detection_head = {.input = HeadInput::kPyramid, .output = "predictor"};
  std::filesystem::path folder;
  // The tokens of a text without special ones, by the base's own tokenizer.
  std::function<std::vector<int32_t>(const std::string& text)> token_ids;
  // The special tokens that it sets around every text.
  std::function<std::vector<int32_t>()> special_tokens;
  std::string root_hash;            // of all tensors: the identity of the base
  std::vector<std::string> unused;  // tensors of heads that were not asked for
  std::vector<const Site*>
      sites;  // all places where adapters can attach, by index; they live as long as the model

  // What a head that reads there takes of each row.
  int64_t channels_of(HeadInput input) const {
    return input == HeadInput::kPooler && pooled > 0 ? pooled : hidden;
  }

  // An embedding of what a head for classes reads.
  HeadLayout verification_head() const {
    return {.input = sequence_head.input,
            .output = "classifier",
            .output_bias = false,
            .embedding = 256,
            .cosine = true};
  }

  HeadLayout head_layout(HeadKind kind) const {
    switch (kind) {
      case HeadKind::kSequenceClassification:
        return sequence_head;
      case HeadKind::kTokenClassification:
        return token_head;
      case HeadKind::kQuestionAnswering:
        return span_head;
      case HeadKind::kMultipleChoice:
        return choice_head;
      case HeadKind::kDetection:
        return detection_head;
      case HeadKind::kVerification:
        return verification_head();
    }
    fail(ErrorKind::kInternal, "an unknown kind of head");
  }
};

}  // namespace inlay
