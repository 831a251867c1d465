// The chat template of a Hugging Face model folder, with the special tokens that it names.
//
//   if (auto chat = load_chat_template(folder)) {
//     Rendered r = chat->render(messages, {.add_generation_prompt = true});
//   }
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "text/chat/chat_template.h"

namespace inlay {

struct ModelChatTemplate {
  ChatTemplate ordinary;
  std::optional<ChatTemplate> tool_use;  // for conversations with tools, where the model has one
  std::optional<std::string> bos_token;
  std::optional<std::string> eos_token;
  std::optional<std::string> pad_token;
  std::optional<std::string> unk_token;

  // Picks the template by whether tools are given; tokens that the options leave out are the
  // model's.
  Rendered render(const OrderedJson& messages, RenderOptions options = {}) const;
};

// Reads chat_template.jinja (and additional_chat_templates/tool_use.jinja), or else "chat_template"
// of tokenizer_config.json: a string, or a list of {name, template}. Nothing when there is neither.
std::optional<ModelChatTemplate> load_chat_template(const std::filesystem::path& folder);

}  // namespace inlay
