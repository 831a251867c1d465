#include "text/model.h"

namespace inlay::text {
namespace {

constexpr FactoryRow<Model> kModels[] = {
    {"WordPiece", build_word_piece},
    {"BPE", build_bpe},
    {"WordLevel", build_word_level},
    {"Unigram", build_unigram},
};

// Files up to 2021 do not name the type of their model; its members tell.
std::string_view guess_type(const Component& component) {
  if (component.json().contains("merges")) return "BPE";
  if (component.json().contains("max_input_chars_per_word")) return "WordPiece";
  if (component.has("vocab") && component.json().at("vocab").is_array()) return "Unigram";
  return "WordLevel";
}

}  // namespace

std::unique_ptr<const Model> build_model(const Component& component) {
  if (component.has("type")) return build<Model>(component, kModels);
  Json typed = {{"type", guess_type(component)}};
  for (const auto& row : kModels) {
    if (row.type == guess_type(component)) return row.build(component);
  }
  return build<Model>(Component(typed, component.place()), kModels);
}

}  // namespace inlay::text
