#include "text/streaming_decoder.h"

#include <utility>

#include "text/decoder.h"

namespace inlay {

// The stages and the text that comes out of them, in a place of its own since they point to it.
struct StreamingDecoder::Chain {
  std::string text;
  std::unique_ptr<text::DecoderStage> first;
};

std::unique_ptr<StreamingDecoder::Chain> StreamingDecoder::start() const {
  auto chain = std::make_unique<Chain>();
  chain->first = tokenizer_->decode_into(chain->text);
  return chain;
}

StreamingDecoder::StreamingDecoder(const Tokenizer& tokenizer, bool skip_special)
    : tokenizer_(&tokenizer), skip_special_(skip_special), chain_(start()) {}
StreamingDecoder::~StreamingDecoder() = default;
StreamingDecoder::StreamingDecoder(StreamingDecoder&&) noexcept = default;
StreamingDecoder& StreamingDecoder::operator=(StreamingDecoder&&) noexcept = default;

std::string StreamingDecoder::push(int32_t id) {
  const auto token = tokenizer_->written(id, skip_special_);
  if (token) chain_->first->push(*token, true);
  return std::exchange(chain_->text, {});
}

std::string StreamingDecoder::finish() {
  chain_->first->finish();
  const std::unique_ptr<Chain> ended = std::exchange(chain_, start());
  return std::move(ended->text);
}

}  // namespace inlay
