#include "adapters/prompt_peft.h"

#include "base/error.h"

namespace inlay {
namespace {

constexpr const char* kTokens = "num_virtual_tokens";

std::string bare_key(const std::string& name) { return name; }

// What PEFT derives from the base; it fills in what is null.
void write_sizes(const Json& fields, const SiteSet& adapted, Json& config) {
  config[kTokens] = fields.at(kTokens);
  int64_t layers = 0;
  for (const Site* site : adapted) {
    config["token_dim"] = site->out;
    if (site->kind != SiteKind::kAttention) continue;
    config["num_attention_heads"] = site->heads;
    ++layers;
  }
  if (layers > 0) config["num_layers"] = layers;
}

void read_tokens(const Json& config, const std::string& where, Json& fields) {
  fields[kTokens] = json_get<int64_t>(config, kTokens, where);
  auto submodules = config.value("num_transformer_submodules", Json());
  require(submodules.is_null() || submodules == 1, ErrorKind::kInput,
          "{}: \"num_transformer_submodules\" is {}; only models of one stack are supported", where,
          submodules.dump(-1, ' ', true));
}

// The prefixes themselves, whatever made them. Hugging Face's encoders take them for past keys and
// count positions on.
void read_prefix(const Json& config, const SiteSet&, const std::string& where, Json& fields) {
  read_tokens(config, where, fields);
  fields["prefix_projection"] = false;
  fields["shift_positions"] = true;
}

// PEFT prompts the word embeddings.
void read_prompt(const Json& config, const SiteSet&, const std::string& where, Json& fields) {
  read_tokens(config, where, fields);
  fields["placement"] = "inputs_embeds";
  fields["combine"] = "prefix";
}

void read_encoded(const Json& config, const SiteSet& adapted, const std::string& where,
                  Json& fields) {
  read_prompt(config, adapted, where, fields);
  fields["encoder_reparameterization_type"] = "none";
}

PeftForm prompt_form(const char* type, std::vector<PeftKey> own_keys,
                     decltype(PeftForm::read) read) {
  std::vector<PeftKey> keys = {{kTokens, nullptr, PeftKey::kCustom},
                               {"num_attention_heads", nullptr, PeftKey::kCustom},
                               {"num_layers", nullptr, PeftKey::kCustom},
                               {"num_transformer_submodules", 1, PeftKey::kCustom},
                               {"token_dim", nullptr, PeftKey::kCustom}};
  keys.insert(keys.end(), own_keys.begin(), own_keys.end());
  return {.type = type,
          .keys = std::move(keys),
          .has_targets = false,
          .write = write_sizes,
          .read = read,
          .shared_key = bare_key,
          .head_prefix = "base_model."};
}

}  // namespace

const PeftForm& prefix_tuning_peft_form() {
  static const PeftForm form = prompt_form("PREFIX_TUNING",
                                           {{"encoder_hidden_size", nullptr, PeftKey::kNoMatter},
                                            {"prefix_projection", false, PeftKey::kNoMatter}},
                                           read_prefix);
  return form;
}

const PeftForm& prompt_tuning_peft_form() {
  static const PeftForm form =
      prompt_form("PROMPT_TUNING",
                  {{"prompt_tuning_init", "RANDOM", PeftKey::kNoMatter},
                   {"prompt_tuning_init_text", nullptr, PeftKey::kNoMatter},
                   {"tokenizer_kwargs", nullptr, PeftKey::kNoMatter},
                   {"tokenizer_name_or_path", nullptr, PeftKey::kNoMatter}},
                  read_prompt);
  return form;
}

const PeftForm& p_tuning_peft_form() {
  static const PeftForm form =
      prompt_form("P_TUNING",
                  {{"encoder_dropout", 0.0, PeftKey::kNoMatter},
                   {"encoder_hidden_size", nullptr, PeftKey::kNoMatter},
                   {"encoder_num_layers", 2, PeftKey::kNoMatter},
                   {"encoder_reparameterization_type", "MLP", PeftKey::kNoMatter}},
                  read_encoded);
  return form;
}

}  // namespace inlay
