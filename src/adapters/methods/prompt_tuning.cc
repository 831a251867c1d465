// Prompt tuning: Lester et al. 2021, arXiv:2104.08691, section 2: trained rows P (n, hidden) are
// set before the embeddings of the text, [P; X], and the frozen base reads both.
#include "adapters/adapterhub_prompt.h"
#include "adapters/method.h"
#include "adapters/prompt_peft.h"
#include "adapters/virtual_tokens.h"
#include "nn/initializers.h"

namespace inlay {
namespace {

constexpr const char* kPromptTuning = "prompt_tuning";
constexpr float kUniformBound = 0.5f;  // AdapterHub's

class PromptTuning : public Method {
 public:
  void fields(FieldVisitor& visit) override {
    visit("num_virtual_tokens", num_virtual_tokens_, "rows set before each text");
    visit.choice("prompt_tuning_init", init_, {"random_uniform", "normal", "sample_vocab", "text"},
                 "how they start; sample_vocab and text: as embeddings of words");
    visit("prompt_tuning_init_text", text_, "the text for prompt_tuning_init=text");
    place_.fields(visit);
  }

  std::vector<const Site*> select(const BaseFacts& base) const override {
    check_virtual_tokens(base, num_virtual_tokens_, kPromptTuning);
    require(
        (init_ == "text") == !text_.empty(), ErrorKind::kUsage,
        "prompt_tuning: prompt_tuning_init is {} and prompt_tuning_init_text \"{}\"; a text goes "
        "with prompt_tuning_init=text",
        init_, text_);
    return place_.select(base, kPromptTuning);
  }

  std::unique_ptr<SiteHook> attach(const Site&, ParameterMaker& make) const override {
    Parameter& rows = make.shared("prompt_embeddings",
                                  [&](const Stream& stream) { return start(make.base(), stream); });
    return make_prompt_hook(rows, place_);
  }

  bool identity_at_start() const override { return false; }
  bool fits_format() const override { return place_.is_of_peft(); }
  int64_t positions_taken() const override { return place_.positions_taken(num_virtual_tokens_); }

 private:
  Tensor start(const BaseFacts& base, const Stream& stream) const {
    Shape shape{num_virtual_tokens_, base.hidden};
    if (init_ == "random_uniform") return uniform_init(shape, kUniformBound, stream);
    if (init_ == "normal") return normal_init(shape, 1.0f, stream);
    if (init_ == "text") {
      std::vector<int32_t> ids = base.token_ids(text_);
      require(!ids.empty(), ErrorKind::kUsage,
              "prompt_tuning: the text \"{}\" has no token of the base's vocabulary", text_);
      return word_rows(base, ids, num_virtual_tokens_);
    }
    std::vector<int32_t> ids;
    ids.reserve(static_cast<std::size_t>(num_virtual_tokens_));
    for (int64_t i = 0; i < num_virtual_tokens_; ++i) {
      ids.push_back(static_cast<int32_t>(
          stream.below(static_cast<uint64_t>(base.vocabulary), static_cast<uint64_t>(i))));
    }
    return word_rows(base, ids, num_virtual_tokens_);
  }

  int64_t num_virtual_tokens_ = 10;
  std::string init_ = "sample_vocab";
  std::string text_;
  PromptPlace place_;
};

}  // namespace

const MethodInfo& method_prompt_tuning() {
  static const MethodInfo info{
      .name = kPromptTuning,
      .summary = "Sets trained virtual tokens before each text.",
      .citation = "arXiv:2104.08691",
      .example = "prompt_tuning[num_virtual_tokens=10]",
      .format = AdapterFormat::kPeft,
      .peft = &prompt_tuning_peft_form(),
      .adapterhub = &prompt_tuning_adapterhub_form(),
      .learning_rate = 3e-2,
      .epochs = 5,
      .make = []() -> std::unique_ptr<Method> { return std::make_unique<PromptTuning>(); }};
  return info;
}

}  // namespace inlay
