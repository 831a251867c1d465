#include "text/bpe_tokenizer_file.h"

#include "base/json.h"

namespace inlay::text {
namespace {

Json added_tokens(const LearntBpe& learnt) {
  Json tokens = Json::array();
  for (const std::string& token : learnt.special_tokens) {
    tokens.push_back({{"id", tokens.size()},
                      {"content", token},
                      {"single_word", false},
                      {"lstrip", false},
                      {"rstrip", false},
                      {"normalized", false},
                      {"special", true}});
  }
  return tokens;
}

Json model(const LearntBpe& learnt) {
  Json vocab = Json::object(), merges = Json::array();
  for (std::size_t id = 0; id < learnt.vocabulary.size(); ++id) vocab[learnt.vocabulary[id]] = id;
  auto token = [&](int32_t id) { return learnt.vocabulary[static_cast<std::size_t>(id)]; };
  for (const TokenPair& pair : learnt.merges)
    merges.push_back(Json::array({token(pair.left), token(pair.right)}));
  return bpe_model_json(std::move(vocab), std::move(merges), false);
}

// The token before each text, of a pair before both, as Llama's files have it.
Json template_processing(const std::string& begin) {
  auto special = [&](int type) {
    return Json{{"SpecialToken", {{"id", begin}, {"type_id", type}}}};
  };
  auto sequence = [](const char* id, int type) {
    return Json{{"Sequence", {{"id", id}, {"type_id", type}}}};
  };
  Json token = {{"id", begin}, {"ids", Json::array({0})}, {"tokens", Json::array({begin})}};
  return {{"type", "TemplateProcessing"},
          {"single", Json::array({special(0), sequence("A", 0)})},
          {"pair", Json::array({special(0), sequence("A", 0), special(1), sequence("B", 1)})},
          {"special_tokens", {{begin, std::move(token)}}}};
}

}  // namespace

Json bpe_model_json(Json ids, Json merges, bool ignore_merges) {
  return {{"type", "BPE"},
          {"dropout", nullptr},
          {"unk_token", nullptr},
          {"continuing_subword_prefix", nullptr},
          {"end_of_word_suffix", nullptr},
          {"fuse_unk", false},
          {"byte_fallback", false},
          {"ignore_merges", ignore_merges},
          {"vocab", std::move(ids)},
          {"merges", std::move(merges)}};
}

std::string bpe_tokenizer_json(const LearntBpe& learnt, BeginOfText begin) {
  const bool adds = begin == BeginOfText::kAdd;
  return pretty_json(
      {{"version", "1.0"},
       {"truncation", nullptr},
       {"padding", nullptr},
       {"added_tokens", added_tokens(learnt)},
       {"normalizer", nullptr},
       {"pre_tokenizer", byte_level_stage()},
       {"post_processor", adds ? template_processing(learnt.special_tokens[0]) : Json()},
       {"decoder", byte_level_stage()},
       {"model", model(learnt)}});
}

std::string bpe_tokenizer_config_json(const LearntBpe& learnt, int64_t max_length) {
  const auto& special = learnt.special_tokens;
  return pretty_json({{"tokenizer_class", "PreTrainedTokenizerFast"},
                      {"bos_token", special[0]},
                      {"eos_token", special[special.size() > 1 ? 1 : 0]},
                      {"model_max_length", max_length},
                      {"clean_up_tokenization_spaces", false}});
}

}  // namespace inlay::text
