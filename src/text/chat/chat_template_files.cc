#include "text/chat/chat_template_files.h"

#include <utility>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "text/chat/budget.h"
#include "text/special_roles.h"

namespace inlay {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxConfigBytes = std::size_t{64} << 20;

using Templates = std::pair<std::optional<ChatTemplate>, std::optional<ChatTemplate>>;

std::optional<ChatTemplate> read_template(const fs::path& path) {
  if (!fs::is_regular_file(path)) return std::nullopt;
  return ChatTemplate::parse(read_file(path, chat::kMaxSourceBytes), path.string());
}

std::optional<ChatTemplate> named_template(const Json& list, std::string_view name,
                                           const std::string& where) {
  for (const Json& entry : list) {
    if (json_get<std::string>(entry, "name", where) != name) continue;
    return ChatTemplate::parse(json_get<std::string>(entry, "template", where),
                               fmt::format("{}[{}]", where, name));
  }
  return std::nullopt;
}

Templates configured_templates(const Json& config, const std::string& file) {
  const auto found = config.find("chat_template");
  if (found == config.end() || found->is_null()) return {};
  const std::string where = file + ": chat_template";
  if (found->is_string()) {
    return {ChatTemplate::parse(found->get_ref<const std::string&>(), where), std::nullopt};
  }
  require(found->is_array(), ErrorKind::kInput,
          "{} is {}; expected a string or a list of objects with \"name\" and \"template\"", where,
          found->type_name());
  Templates result{named_template(*found, "default", where),
                   named_template(*found, "tool_use", where)};
  require(result.first.has_value(), ErrorKind::kInput,
          "{} has no template named \"default\"; add one", where);
  return result;
}

Json read_object(const fs::path& path) {
  if (!fs::is_regular_file(path)) return Json::object();
  Json result = read_json(path, kMaxConfigBytes);
  require(result.is_object(), ErrorKind::kInput, "{}: expected a JSON object, found {}",
          path.string(), result.type_name());
  return result;
}

std::optional<std::string> token(const Json& config, const Json& map, std::string_view role) {
  const std::optional<std::string> configured = text::configured_token(config, role);
  return configured ? configured : text::configured_token(map, role);
}

void fill(std::optional<std::string>& token, const std::optional<std::string>& fallback) {
  if (!token) token = fallback;
}

}  // namespace

Rendered ModelChatTemplate::render(const OrderedJson& messages, RenderOptions options) const {
  fill(options.bos_token, bos_token);
  fill(options.eos_token, eos_token);
  fill(options.pad_token, pad_token);
  fill(options.unk_token, unk_token);
  const bool with_tools = tool_use.has_value() && !options.tools.is_null();
  return (with_tools ? *tool_use : ordinary).render(messages, options);
}

std::optional<ModelChatTemplate> load_chat_template(const fs::path& folder) {
  const fs::path config_path = folder / "tokenizer_config.json";
  const Json config = read_object(config_path);
  Templates templates{read_template(folder / "chat_template.jinja"),
                      read_template(folder / "additional_chat_templates/tool_use.jinja")};
  if (!templates.first) templates = configured_templates(config, config_path.string());
  if (!templates.first) return std::nullopt;
  const Json map = read_object(folder / "special_tokens_map.json");
  return ModelChatTemplate{*std::move(templates.first), std::move(templates.second),
                           token(config, map, "bos"),   token(config, map, "eos"),
                           token(config, map, "pad"),   token(config, map, "unk")};
}

}  // namespace inlay
