#include "eval/generation/generator.h"

#include <array>
#include <chrono>
#include <utility>

#include "autograd/ops/pooling.h"
#include "base/process.h"

namespace inlay {
namespace {

constexpr std::array<std::string_view, 4> kEnds = {"eos", "length", "stop", "context"};

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// The context as generation needs it, and as it was afterwards.
class Generating {
 public:
  explicit Generating(Context& context) : context_(context), recorded_(context.tape.recording()) {
    context.tape.set_recording(false);
    context.generating = true;
  }
  ~Generating() {
    context_.generating = false;
    context_.tape.set_recording(recorded_);
  }
  Generating(const Generating&) = delete;
  Generating& operator=(const Generating&) = delete;

 private:
  Context& context_;
  bool recorded_;
};

}  // namespace

std::string_view text_end_name(TextEnd end) { return kEnds.at(static_cast<std::size_t>(end)); }

// A text on its way.
struct Generator::Text {
  Sampler sampler;
  GeneratedText shown;
  Generated made;
  int64_t room;  // positions that are left for further tokens
  bool ended = false;
};

// Texts that are not at their end: their numbers, and what is read of each next.
struct Generator::Going {
  std::vector<std::size_t> numbers;
  std::vector<TokenSequence> next;

  void add(std::size_t number, std::vector<int32_t> ids) {
    numbers.push_back(number);
    next.push_back({std::move(ids), {}, {}});
  }
};

Generator::Generator(Context& context, const Model& model, const Tokenizer& tokenizer,
                     GenerationOptions options)
    : context_(context), model_(model), tokenizer_(tokenizer), options_(std::move(options)) {
  check_options(options_);
}

void Generator::check_prompts(const std::vector<std::vector<int32_t>>& prompts,
                              int64_t room) const {
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    auto length = static_cast<int64_t>(prompts[i].size());
    require(length > 0, ErrorKind::kInput, "prompt {} has no tokens", i + 1);
    require(length < room, ErrorKind::kInput,
            "prompt {} has {} tokens, and the model has positions for {}, the answer's among them; "
            "shorten it",
            i + 1, length, room);
    for (int32_t id : prompts[i]) {
      require(id >= 0 && id < model_.facts().vocabulary, ErrorKind::kInput,
              "prompt {} holds id {}, and the model's vocabulary ends at {}; tokenizer and model "
              "do not belong together",
              i + 1, id, model_.facts().vocabulary - 1);
    }
  }
}

Tensor Generator::read(const std::vector<TokenSequence>& sequences, KeyValueCache& cache) {
  std::vector<const TokenSequence*> pointers;
  pointers.reserve(sequences.size());
  for (const TokenSequence& sequence : sequences) pointers.push_back(&sequence);
  TokenBatch batch = make_token_batch(pointers, {});
  Variable hidden = model_.continue_from(context_, batch, cache);
  Variable last = pooling(context_, hidden, Pooling::kLast, &batch.examples);
  return model_.next_token_logits(context_, last).value();
}

void Generator::take(Text& text, std::span<const float> logits, std::size_t number,
                     const Listener& listener) {
  ChosenToken chosen = text.sampler.next(logits);
  text.made.tokens.push_back(chosen);
  bool eos = text.sampler.finish() == Finish::kEos;
  std::string piece;
  if (!eos) {
    text.made.ids.push_back(chosen.id);
    piece = text.shown.push(chosen.id);
  }
  text.room -= 1;
  if (eos) text.made.end = TextEnd::kEos;
  bool stopped = text.shown.matched().has_value();
  if (stopped) text.made.end = TextEnd::kStopString;
  bool full = !stopped && !text.sampler.finish().has_value() && text.room <= 0;
  if (full) text.made.end = TextEnd::kContext;
  text.ended = text.sampler.finish().has_value() || stopped || full;
  if (text.ended) piece += text.shown.finish();
  text.made.text += piece;
  if (listener && !piece.empty()) listener(number, piece);
}

std::vector<Generator::Text> Generator::start(const std::vector<std::vector<int32_t>>& prompts,
                                              int64_t room) const {
  std::vector<Text> texts;
  texts.reserve(prompts.size());
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    texts.push_back({Sampler(options_, {.prompt = prompts[i], .sequence = i}),
                     GeneratedText(tokenizer_, options_.stop_strings),
                     {},
                     room - static_cast<int64_t>(prompts[i].size())});
  }
  return texts;
}

Generator::Going Generator::advance(std::vector<Text>& texts, const Going& going,
                                    KeyValueCache& cache, const Listener& listener) {
  Tensor logits = read(going.next, cache);
  Going further;
  std::vector<int64_t> kept;
  for (std::size_t row = 0; row < going.numbers.size(); ++row) {
    std::size_t number = going.numbers[row];
    Text& text = texts[number];
    const float* first = logits.data<float>() + static_cast<int64_t>(row) * logits.dim(1);
    take(text, {first, static_cast<std::size_t>(logits.dim(1))}, number, listener);
    ++work_.new_tokens;
    if (text.ended) continue;
    further.add(number, {text.made.ids.back()});
    kept.push_back(static_cast<int64_t>(row));
  }
  if (kept.size() < going.numbers.size()) cache.keep(kept);
  return further;
}

std::vector<Generated> Generator::run(const std::vector<std::vector<int32_t>>& prompts,
                                      const Listener& listener, int64_t positions_taken) {
  int64_t room = model_.facts().max_tokens - positions_taken;
  check_prompts(prompts, room);
  Generating generating(context_);
  work_ = {};
  std::vector<Text> texts = start(prompts, room);
  Going going;
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    going.add(i, prompts[i]);
    work_.prompt_tokens += static_cast<int64_t>(prompts[i].size());
  }
  KeyValueCache cache(model_.facts().layers, static_cast<int64_t>(prompts.size()));
  double* clock = &work_.prompt_seconds;
  while (!going.numbers.empty()) {
    require(!interrupted(), ErrorKind::kInterrupted, "stopped while generating");
    double started = seconds_now();
    going = advance(texts, going, cache, listener);
    *clock += seconds_now() - started;
    clock = &work_.new_seconds;
  }
  std::vector<Generated> made;
  made.reserve(texts.size());
  for (Text& text : texts) made.push_back(std::move(text.made));
  return made;
}

}  // namespace inlay
