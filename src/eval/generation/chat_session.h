// A conversation with a language model whose adapters can be changed between answers.
//
//   ChatSession chat(*model, tokenizer, chat_template, options, DType::kBF16);
//   chat.add("pirate", std::move(adapter));
//   chat.use("pirate");
//   chat.answer("Who are you?", show);      // remembered
//   chat.base_answer(show);                 // what the base says to the same; not remembered
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "adapters/adapter.h"
#include "eval/generation/generator.h"
#include "text/chat/chat_template_files.h"

namespace inlay {

class ChatSession {
 public:
  using Listener = std::function<void(std::string_view piece)>;

  // Model and tokenizer must outlive this.
  ChatSession(const Model& model, const Tokenizer& tokenizer, ModelChatTemplate chat_template,
              const GenerationOptions& options, DType compute);

  void add(const std::string& name, std::unique_ptr<Adapter> adapter);
  // The adapter of the answers to come; "" is the base as it is. kUsage with the names that there
  // are for another one.
  void use(const std::string& name);
  const std::string& used() const { return used_; }
  // Forgets what was said, but for the system's words.
  void reset();
  void set_system(const std::string& text);

  Generated answer(const std::string& text, const Listener& listener);
  // To the last thing that the user said, after the same conversation. kUsage where nothing was
  // said.
  Generated base_answer(const Listener& listener);
  const GenerationWork& work() const { return generator_.work(); }

 private:
  Generated generate(const std::string& adapter, const Listener& listener);
  OrderedJson asked() const;  // up to the last message of the user

  Context context_;
  const Tokenizer& tokenizer_;
  ModelChatTemplate chat_template_;
  Generator generator_;
  std::map<std::string, std::unique_ptr<Adapter>> adapters_;
  std::string used_;
  OrderedJson messages_ = OrderedJson::array();
};

}  // namespace inlay
