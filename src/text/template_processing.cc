// TemplateProcessing: a row of special tokens and sequences for one text, another for a pair, each
// with a type id.
#include "text/post_processor.h"
#include "text/vocabulary.h"

namespace inlay::text {
namespace {

// A sequence (0 or 1), or else a special token that may stand for several ids.
struct Piece {
  int sequence;  // -1 for special tokens
  std::vector<int32_t> ids;
  int32_t type;
};

std::vector<int32_t> read_special_ids(const Component& owner, const std::string& name) {
  const Component all = owner.child("special_tokens");
  require(all.has(name.c_str()), ErrorKind::kInput,
          "{}: \"{}\" is used but is not in special_tokens", owner.place(), name.substr(0, 60));
  const Component token = all.child(name.c_str());
  const auto ids = token.json().find("ids");
  require(ids != token.json().end() && ids->is_array(), ErrorKind::kInput,
          "{}: \"ids\" is missing or not a list", token.place());
  std::vector<int32_t> result;
  for (const Json& id : *ids) result.push_back(read_token_id(id, token.place()));
  return result;
}

int32_t read_type(const Component& component) {
  const int64_t type = json_get_or<int64_t>(component.json(), "type_id", 0, component.place());
  require(type >= 0 && type <= kMaxTokenId, ErrorKind::kInput, "{}: type_id {} is out of range",
          component.place(), type);
  return static_cast<int32_t>(type);
}

Piece read_piece(const Component& owner, const Component& component) {
  if (component.has("SpecialToken")) {
    const Component token = component.child("SpecialToken");
    return {-1, read_special_ids(owner, token.text("id")), read_type(token)};
  }
  require(component.has("Sequence"), ErrorKind::kInput, "{}: expected a SpecialToken or a Sequence",
          component.place());
  const Component sequence = component.child("Sequence");
  const std::string id = sequence.text("id");
  require(id == "A" || id == "B", ErrorKind::kInput,
          "{}: sequence \"{}\" is not supported; supported: A, B", sequence.place(),
          id.substr(0, 60));
  return {id == "B" ? 1 : 0, {}, read_type(sequence)};
}

class TemplateProcessing : public PostProcessor {
 public:
  explicit TemplateProcessing(const Component& component)
      : single_(read(component, "single", 1)), pair_(read(component, "pair", 2)) {}

  int64_t added_tokens(bool pair) const override {
    int64_t count = 0;
    for (const Piece& piece : pair ? pair_ : single_)
      count += static_cast<int64_t>(piece.ids.size());
    return count;
  }

  void process(std::vector<Tokens>& sequences, bool add_special_tokens) const override {
    std::vector<Tokens> row;
    for (const Piece& piece : sequences.size() == 2 ? pair_ : single_) {
      if (piece.sequence >= 0) {
        row.push_back(std::move(sequences[static_cast<std::size_t>(piece.sequence)]));
        for (Token& token : row.back()) token.type = piece.type;
      } else if (add_special_tokens) {
        row.emplace_back();
        for (int32_t id : piece.ids) {
          row.back().push_back(
              {.id = id, .begin = 0, .end = 0, .type = piece.type, .special = true});
        }
      }
    }
    sequences = std::move(row);
  }

 private:
  // Every one of the `sequences` sequences must stand in the template exactly once.
  static std::vector<Piece> read(const Component& component, const char* key, int sequences) {
    std::vector<Piece> pieces;
    int used[2] = {0, 0};
    for (const Component& part : component.children(key)) {
      pieces.push_back(read_piece(component, part));
      if (pieces.back().sequence >= 0) ++used[pieces.back().sequence];
    }
    require(used[0] == 1 && used[1] == sequences - 1, ErrorKind::kInput,
            "{}: \"{}\" uses sequence A {} times and B {} times; expected {}", component.place(),
            key, used[0], used[1], sequences == 1 ? "A once" : "each once");
    return pieces;
  }

  std::vector<Piece> single_;
  std::vector<Piece> pair_;
};

}  // namespace

std::unique_ptr<const PostProcessor> build_template_processing(const Component& component) {
  return std::make_unique<TemplateProcessing>(component);
}

}  // namespace inlay::text
