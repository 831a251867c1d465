#include "eval/generation/chat_session.h"

#include <utility>
#include <vector>

#include "base/error.h"
#include "base/nearest.h"
#include "eval/generation/chat_prompt.h"

namespace inlay {

ChatSession::ChatSession(const Model& model, const Tokenizer& tokenizer,
                         ModelChatTemplate chat_template, const GenerationOptions& options,
                         DType compute)
    : context_(compute),
      tokenizer_(tokenizer),
      chat_template_(std::move(chat_template)),
      generator_(context_, model, tokenizer, options) {}

void ChatSession::add(const std::string& name, std::unique_ptr<Adapter> adapter) {
  require(!name.empty() && adapters_.emplace(name, std::move(adapter)).second, ErrorKind::kUsage,
          "an adapter is named \"{}\"; names are not empty, and each is given once", name);
}

void ChatSession::use(const std::string& name) {
  if (!name.empty() && !adapters_.contains(name)) {
    std::vector<std::string> known;
    std::string names;
    for (const auto& [other, adapter] : adapters_) {
      known.push_back(other);
      names += (names.empty() ? "" : ", ") + other;
    }
    require(!known.empty(), ErrorKind::kUsage, "there is no adapter \"{}\"; none was given", name);
    fail(ErrorKind::kUsage, "there is no adapter \"{}\"; did you mean \"{}\"? There are {}", name,
         nearest_name(name, known), names);
  }
  used_ = name;
}

void ChatSession::reset() {
  bool system = !messages_.empty() && messages_.front().at("role") == "system";
  OrderedJson kept = OrderedJson::array();
  if (system) kept.push_back(messages_.front());
  messages_ = std::move(kept);
}

void ChatSession::set_system(const std::string& text) {
  messages_ = OrderedJson::array();
  if (!text.empty()) messages_.push_back({{"role", "system"}, {"content", text}});
}

OrderedJson ChatSession::asked() const {
  OrderedJson messages = messages_;
  while (!messages.empty() && messages.back().at("role") != "user")
    messages.erase(messages.size() - 1);
  require(!messages.empty(), ErrorKind::kUsage, "nothing was asked yet");
  return messages;
}

Generated ChatSession::generate(const std::string& adapter, const Listener& listener) {
  context_.adapters.clear();
  int64_t taken = 0;
  if (!adapter.empty()) {
    Adapter& used = *adapters_.at(adapter);
    context_.adapters.push_back({.hooks = &used});
    taken = used.method().positions_taken();
  }
  std::vector<int32_t> prompt = chat_prompt(asked(), tokenizer_, chat_template_);
  auto show = [&](std::size_t, std::string_view piece) {
    if (listener) listener(piece);
  };
  return std::move(generator_.run({prompt}, show, taken).front());
}

Generated ChatSession::answer(const std::string& text, const Listener& listener) {
  OrderedJson before = messages_;
  messages_.push_back({{"role", "user"}, {"content", text}});
  try {
    Generated made = generate(used_, listener);
    messages_.push_back({{"role", "assistant"}, {"content", made.text}});
    return made;
  } catch (...) {  // what cannot be answered was not said
    messages_ = std::move(before);
    throw;
  }
}

Generated ChatSession::base_answer(const Listener& listener) { return generate("", listener); }

}  // namespace inlay
