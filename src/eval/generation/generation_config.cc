#include "eval/generation/generation_config.h"

#include <limits>

#include "adapters/foreign_keys.h"
#include "base/error.h"
#include "formats/model_config.h"

namespace inlay {
namespace {

constexpr const char* kEos = "eos_token_id";
constexpr std::size_t kMaxEosTokens = 1024;

// Of transformers 4.27 to 5.0. What only beam search, assistants or encoder-decoders read, and what
// is about memory or output, does not matter here.
const std::vector<ForeignKey>& generation_keys() {
  using enum ForeignKey::Meaning;
  static const std::vector<ForeignKey> keys = {
      {"do_sample", false, kRead},
      {"temperature", 1.0, kRead},
      {"top_k", 50, kRead},
      {"top_p", 1.0, kRead},
      {"min_p", nullptr, kRead},
      {"repetition_penalty", 1.0, kRead},
      {"min_new_tokens", nullptr, kRead},
      {"max_new_tokens", nullptr, kRead},
      {"stop_strings", nullptr, kRead},
      {kEos, nullptr, kRead},
      {"bad_words_ids", nullptr, kFixed},
      {"begin_suppress_tokens", nullptr, kFixed},
      {"constraints", nullptr, kFixed},
      {"dola_layers", nullptr, kFixed},
      {"epsilon_cutoff", 0.0, kFixed},
      {"eta_cutoff", 0.0, kFixed},
      {"exponential_decay_length_penalty", nullptr, kFixed},
      {"force_words_ids", nullptr, kFixed},
      {"forced_bos_token_id", nullptr, kFixed},
      {"forced_decoder_ids", nullptr, kFixed},
      {"forced_eos_token_id", nullptr, kFixed},
      {"guidance_scale", nullptr, kFixed},
      {"max_time", nullptr, kFixed},
      {"min_length", 0, kFixed},
      {"no_repeat_ngram_size", 0, kFixed},
      {"num_beam_groups", 1, kFixed},
      {"num_beams", 1, kFixed},
      {"penalty_alpha", nullptr, kFixed},
      {"sequence_bias", nullptr, kFixed},
      {"suppress_tokens", nullptr, kFixed},
      {"token_healing", false, kFixed},
      {"top_h", nullptr, kFixed},
      {"typical_p", 1.0, kFixed},
      {"watermarking_config", nullptr, kFixed},
      {"_from_model_config", false, kNoMatter},
      {"assistant_confidence_threshold", 0.4, kNoMatter},
      {"assistant_early_exit", nullptr, kNoMatter},
      {"assistant_lookbehind", 10, kNoMatter},
      {"bos_token_id", nullptr, kNoMatter},
      {"cache_config", nullptr, kNoMatter},
      {"cache_implementation", nullptr, kNoMatter},
      {"compile_config", nullptr, kNoMatter},
      {"decoder_start_token_id", nullptr, kNoMatter},
      {"disable_compile", false, kNoMatter},
      {"diversity_penalty", 0.0, kNoMatter},
      {"early_stopping", false, kNoMatter},
      {"encoder_no_repeat_ngram_size", 0, kNoMatter},
      {"encoder_repetition_penalty", 1.0, kNoMatter},
      {"is_assistant", false, kNoMatter},
      {"length_penalty", 1.0, kNoMatter},
      {"low_memory", nullptr, kNoMatter},
      {"max_length", 20, kNoMatter},
      {"max_matching_ngram_size", nullptr, kNoMatter},
      {"num_assistant_tokens", 20, kNoMatter},
      {"num_assistant_tokens_schedule", "constant", kNoMatter},
      {"num_return_sequences", 1, kNoMatter},
      {"output_attentions", false, kNoMatter},
      {"output_hidden_states", false, kNoMatter},
      {"output_logits", nullptr, kNoMatter},
      {"output_scores", false, kNoMatter},
      {"pad_token_id", nullptr, kNoMatter},
      {"prefill_chunk_size", nullptr, kNoMatter},
      {"prompt_lookup_num_tokens", nullptr, kNoMatter},
      {"remove_invalid_values", false, kNoMatter},
      {"renormalize_logits", false, kNoMatter},
      {"return_dict_in_generate", false, kNoMatter},
      {"return_legacy_cache", nullptr, kNoMatter},
      {"target_lookbehind", 10, kNoMatter},
      {"transformers_version", nullptr, kNoMatter},
      {"use_cache", true, kNoMatter},
  };
  return keys;
}

int32_t eos_id(const Json& value, const std::string& where) {
  constexpr int64_t kMost = std::numeric_limits<int32_t>::max();
  const int64_t id = value.is_number_integer() ? value.get<int64_t>() : -1;
  require(0 <= id && id <= kMost, ErrorKind::kInput,
          "{}: \"{}\" has {}; expected token ids, 0 to {}", where, kEos,
          value.dump(-1, ' ', true).substr(0, 80), kMost);
  return static_cast<int32_t>(id);
}

// One id or a list of them.
std::vector<int32_t> eos_ids(const Json& config, const std::string& where) {
  const Json value = config.value(kEos, Json());
  if (value.is_null()) return {};
  if (!value.is_array()) return {eos_id(value, where)};
  require(value.size() <= kMaxEosTokens, ErrorKind::kInput,
          "{}: \"{}\" has {} ids; expected at most {}", where, kEos, value.size(), kMaxEosTokens);
  std::vector<int32_t> ids;
  for (const Json& id : value) ids.push_back(eos_id(id, where));
  return ids;
}

Json without_nulls(const Json& config) {
  Json set = Json::object();
  for (const auto& [name, value] : config.items()) {
    if (!value.is_null()) set[name] = value;
  }
  return set;
}

// The settings that are fields of GenerationOptions.
Json fields_in(const Json& config) {
  Json fields = Json::object();
  for (const ForeignKey& key : generation_keys()) {
    const bool field =
        key.meaning == ForeignKey::Meaning::kRead && std::string_view(key.name) != kEos;
    if (field && config.contains(key.name)) fields[key.name] = config.at(key.name);
  }
  if (fields.value("stop_strings", Json()).is_string())
    fields["stop_strings"] = Json::array({fields["stop_strings"]});
  return fields;
}

GenerationOptions read_options(const std::filesystem::path& path) {
  const ModelConfig file = ModelConfig::read(path);
  const Json config = without_nulls(file.json());
  check_foreign_keys(config, generation_keys(), file.where());
  GenerationOptions options;
  try {
    from_json(options, fields_in(config), "generation");
    check_options(options);
  } catch (const Error& error) {  // a bad value of the file, not of the call
    fail(ErrorKind::kInput, "{}: {}", file.where(), error.what());
  }
  options.eos_token_ids = eos_ids(config, file.where());
  return options;
}

}  // namespace

GenerationOptions read_generation_config(const std::filesystem::path& folder) {
  const std::filesystem::path own = folder / "generation_config.json",
                              model = folder / "config.json";
  GenerationOptions options;
  if (std::filesystem::exists(own)) options = read_options(own);
  if (options.eos_token_ids.empty() && std::filesystem::exists(model)) {
    const ModelConfig config = ModelConfig::read(model);
    options.eos_token_ids = eos_ids(config.json(), config.where());
  }
  return options;
}

}  // namespace inlay
