// What the stages of decoders are made of: one that rewrites whole tokens, and the links of a
// chain.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "text/decoder.h"

namespace inlay::text {

// A stage with a stage after it.
class ChainedStage : public DecoderStage {
 public:
  explicit ChainedStage(std::unique_ptr<DecoderStage> next) : next_(std::move(next)) {}

 protected:
  DecoderStage& next() { return *next_; }

 private:
  std::unique_ptr<DecoderStage> next_;
};

// A stage that needs its tokens whole: of a token in parts it sees nothing until the last one.
class WholeTokenStage : public ChainedStage {
 public:
  using ChainedStage::ChainedStage;

  void push(std::string_view part, bool ends_token) final {
    parts_ += part;
    if (!ends_token) return;
    std::string token;
    token.swap(parts_);
    push_token(std::move(token));
  }
  void finish() final {
    finish_tokens();
    next().finish();
  }

 protected:
  virtual void push_token(std::string token) = 0;
  virtual void finish_tokens() {}

 private:
  std::string parts_;
};

// Puts `rewrite(token, is_first)` in the place of every token.
template <class Rewrite>
class RewritingStage : public WholeTokenStage {
 public:
  RewritingStage(std::unique_ptr<DecoderStage> next, Rewrite rewrite)
      : WholeTokenStage(std::move(next)), rewrite_(std::move(rewrite)) {}

 protected:
  void push_token(std::string token) override {
    rewrite_(token, is_first_);
    is_first_ = false;
    next().push(token, true);
  }

 private:
  Rewrite rewrite_;
  bool is_first_ = true;
};

template <class Rewrite>
std::unique_ptr<DecoderStage> rewriting_stage(std::unique_ptr<DecoderStage> next, Rewrite rewrite) {
  return std::make_unique<RewritingStage<Rewrite>>(std::move(next), std::move(rewrite));
}

}  // namespace inlay::text
