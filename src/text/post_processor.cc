#include "text/post_processor.h"

#include <algorithm>

#include "text/vocabulary.h"

namespace inlay::text {
namespace {

// Takes the spaces at the ends of tokens out of their offsets. One space at the very start was put
// there by the pre-tokenizer where it adds one, and stands for no character.
void trim_offsets(Tokens& tokens, bool prefix_space) {
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    Token& token = tokens[i];
    int32_t leading = token.leading_spaces;
    if (leading == 1 && prefix_space && (i == 0 || token.begin == 0)) leading = 0;
    token.begin = std::min(token.begin + leading, token.end);
    if (token.trailing_spaces > 0 && token.end >= token.trailing_spaces) {
      token.end = std::max(token.end - token.trailing_spaces, token.begin);
    }
  }
}

class ByteLevelProcessor : public PostProcessor {
 public:
  explicit ByteLevelProcessor(const Component& component)
      : trim_(component.flag_or("trim_offsets", true)),
        prefix_space_(component.flag_or("add_prefix_space", true)) {}

  int64_t added_tokens(bool) const override { return 0; }

  void process(std::vector<Tokens>& sequences, bool) const override {
    for (Tokens& tokens : sequences) {
      if (trim_) trim_offsets(tokens, prefix_space_);
    }
  }

 private:
  bool trim_;
  bool prefix_space_;
};

Token special_token(int32_t id, int32_t type) {
  return {.id = id, .begin = 0, .end = 0, .type = type, .special = true};
}

// A member like "sep": ["[SEP]", 102].
int32_t read_named_id(const Component& component, const char* key) {
  const auto found = component.json().find(key);
  require(found != component.json().end() && found->is_array() && found->size() == 2,
          ErrorKind::kInput, "{}: \"{}\" is missing or not [token, id]", component.place(), key);
  return read_token_id((*found)[1], component.place());
}

// [CLS] A [SEP] B [SEP], the second text and its [SEP] being of type 1.
class BertProcessing : public PostProcessor {
 public:
  explicit BertProcessing(const Component& component)
      : cls_(read_named_id(component, "cls")), sep_(read_named_id(component, "sep")) {}

  int64_t added_tokens(bool pair) const override { return pair ? 3 : 2; }

  void process(std::vector<Tokens>& sequences, bool add_special_tokens) const override {
    if (!add_special_tokens) return;
    sequences[0].insert(sequences[0].begin(), special_token(cls_, 0));
    for (std::size_t i = 0; i < sequences.size(); ++i) {
      sequences[i].push_back(special_token(sep_, static_cast<int32_t>(i)));
    }
  }

 private:
  int32_t cls_;
  int32_t sep_;
};

// <s> A </s></s> B </s>, all of type 0.
class RobertaProcessing : public PostProcessor {
 public:
  explicit RobertaProcessing(const Component& component)
      : cls_(read_named_id(component, "cls")),
        sep_(read_named_id(component, "sep")),
        trim_(component.flag_or("trim_offsets", true)),
        prefix_space_(component.flag_or("add_prefix_space", true)) {}

  int64_t added_tokens(bool pair) const override { return pair ? 4 : 2; }

  void process(std::vector<Tokens>& sequences, bool add_special_tokens) const override {
    for (std::size_t i = 0; i < sequences.size(); ++i) {
      Tokens& tokens = sequences[i];
      if (trim_) trim_offsets(tokens, prefix_space_);
      for (Token& token : tokens) token.type = 0;
      if (!add_special_tokens) continue;
      tokens.insert(tokens.begin(), special_token(i == 0 ? cls_ : sep_, 0));
      tokens.push_back(special_token(sep_, 0));
    }
  }

 private:
  int32_t cls_;
  int32_t sep_;
  bool trim_;
  bool prefix_space_;
};

// Only one part may add special tokens: the others would not see the texts any more.
class PostProcessorSequence : public PostProcessor {
 public:
  explicit PostProcessorSequence(const Component& component) {
    bool added = false;
    for (const Component& part : component.children("processors")) {
      parts_.push_back(build_post_processor(part));
      const bool adds = parts_.back()->added_tokens(true) > 0;
      require(!adds || !added, ErrorKind::kInput,
              "{}: a second part that adds special tokens is not supported", part.place());
      added = added || adds;
    }
  }

  int64_t added_tokens(bool pair) const override {
    int64_t count = 0;
    for (const auto& part : parts_) count += part->added_tokens(pair);
    return count;
  }

  void process(std::vector<Tokens>& sequences, bool add_special_tokens) const override {
    for (const auto& part : parts_) part->process(sequences, add_special_tokens);
  }

 private:
  std::vector<std::unique_ptr<const PostProcessor>> parts_;
};

template <class T>
std::unique_ptr<const PostProcessor> make(const Component& component) {
  return std::make_unique<T>(component);
}

constexpr FactoryRow<PostProcessor> kPostProcessors[] = {
    {"RobertaProcessing", make<RobertaProcessing>},
    {"BertProcessing", make<BertProcessing>},
    {"ByteLevel", make<ByteLevelProcessor>},
    {"TemplateProcessing", build_template_processing},
    {"Sequence", make<PostProcessorSequence>},
};

}  // namespace

std::unique_ptr<const PostProcessor> build_post_processor(const Component& component) {
  return build<PostProcessor>(component, kPostProcessors);
}

}  // namespace inlay::text
