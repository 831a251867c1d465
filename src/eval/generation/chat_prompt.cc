#include "eval/generation/chat_prompt.h"

#include "base/error.h"
#include "eval/generation/generation_config.h"
#include "models/base_text.h"
#include "text/chat/chat_tokens.h"

namespace inlay {

ModelChatTemplate require_chat_template(const std::filesystem::path& model) {
  std::optional<ModelChatTemplate> found = load_base_chat_template(model);
  require(found.has_value(), ErrorKind::kInput,
          "{}: the model has no chat template (chat_template.jinja, or \"chat_template\" in "
          "tokenizer_config.json), so it was not made for conversations; give the prompt as plain "
          "text, or a template beside the model",
          model.string());
  return std::move(*found);
}

std::vector<int32_t> plain_prompt(const std::string& text, const Tokenizer& tokenizer) {
  std::vector<int32_t> ids = tokenizer.encode(text).ids;
  if (!ids.empty() && tokenizer.special_id("eos") == ids.back()) ids.pop_back();
  return ids;
}

std::vector<int32_t> chat_prompt(const OrderedJson& messages, const Tokenizer& tokenizer,
                                 const ModelChatTemplate& chat_template) {
  Rendered rendered = chat_template.render(messages, {.add_generation_prompt = true});
  return encode_chat(rendered, chat_template, tokenizer).ids;
}

OrderedJson first_turn(const std::string& system, const std::string& user) {
  OrderedJson messages = OrderedJson::array();
  if (!system.empty()) messages.push_back({{"role", "system"}, {"content", system}});
  messages.push_back({{"role", "user"}, {"content", user}});
  return messages;
}

std::vector<int32_t> ending_tokens(const std::filesystem::path& model, const Tokenizer& tokenizer) {
  std::vector<int32_t> named = load_base_ending_tokens(model);
  if (named.empty()) named = read_generation_config(model).eos_token_ids;
  std::optional<int32_t> own = tokenizer.special_id("eos");
  if (named.empty() && own.has_value()) named.push_back(*own);
  return named;
}

}  // namespace inlay
