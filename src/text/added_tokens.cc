#include "text/added_tokens.h"

#include <algorithm>

#include "text/unicode.h"

namespace inlay::text {
namespace {

constexpr std::size_t kMaxContentBytes = 512;

bool is_single_word(std::string_view text, Range match) {
  const bool joined_left =
      match.begin > 0 && is_word(decode_utf8(text, previous_utf8(text, match.begin)).code);
  const bool joined_right = match.end < text.size() && is_word(decode_utf8(text, match.end).code);
  return !joined_left && !joined_right;
}

uint32_t start_of_spaces_before(std::string_view text, uint32_t end, uint32_t limit) {
  while (end > limit) {
    const auto previous = static_cast<uint32_t>(previous_utf8(text, end));
    if (!is_space(decode_utf8(text, previous).code)) break;
    end = previous;
  }
  return end;
}

uint32_t end_of_spaces_after(std::string_view text, uint32_t begin) {
  while (begin < text.size()) {
    const Utf8Char c = decode_utf8(text, begin);
    if (!is_space(c.code)) break;
    begin += static_cast<uint32_t>(c.length);
  }
  return begin;
}

}  // namespace

AddedTokens::AddedTokens(const Component& file, const Vocabulary& model,
                         const Normalizer* normalizer) {
  if (!file.has("added_tokens")) return;
  const Component named(file.json(), file.place() + ": added_tokens");
  for (const Component& component : named.children("added_tokens")) add(component, model);
  // Special tokens first: of equal contents the first one counts.
  for (bool special : {true, false}) {
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
      const AddedToken& token = tokens_[i];
      if (token.special != special) continue;
      if (!token.normalized) {
        original_trie_.insert(token.content, static_cast<int32_t>(i));
        continue;
      }
      AlignedText content(token.content);
      if (normalizer != nullptr) normalizer->normalize(content);
      normalized_trie_.insert(content.bytes(), static_cast<int32_t>(i));
    }
  }
}

void AddedTokens::add(const Component& component, const Vocabulary& model) {
  const std::string& place = component.place();
  AddedToken token{component.text("content"),
                   0,
                   component.flag_or("single_word", false),
                   component.flag_or("lstrip", false),
                   component.flag_or("rstrip", false),
                   component.flag_or("normalized", true),
                   component.flag_or("special", false)};
  require(component.has("id"), ErrorKind::kInput, "{}: key \"id\" is missing", place);
  token.id = read_token_id(component.json().at("id"), place);
  if (token.content.empty()) return;
  require(token.content.size() <= kMaxContentBytes, ErrorKind::kInput,
          "{}: the content has {} bytes; at most {} are supported", place, token.content.size(),
          kMaxContentBytes);
  const auto model_id = model.id(token.content);
  require(!model_id || *model_id == token.id, ErrorKind::kInput,
          "{}: \"{}\" has id {} here and {} in the model's vocabulary", place, token.content,
          token.id, model_id.value_or(0));
  const auto taken = model.token(token.id);
  require(model_id || !taken, ErrorKind::kInput,
          "{}: id {} of \"{}\" belongs to \"{}\" in the model's vocabulary", place, token.id,
          token.content, taken.value_or(""));
  names_.add(token.content, token.id, place);
  by_id_[static_cast<uint32_t>(token.id)] = static_cast<uint32_t>(tokens_.size());
  tokens_.push_back(std::move(token));
}

const AddedToken* AddedTokens::by_content(std::string_view content) const {
  const auto id = names_.id(content);
  return id ? by_id(*id) : nullptr;
}

const AddedToken* AddedTokens::by_id(int32_t id) const {
  const uint32_t* index = by_id_.find(static_cast<uint32_t>(id));
  return index == nullptr ? nullptr : &tokens_[*index];
}

// The parts found so far in one text.
class AddedTokens::Search {
 public:
  explicit Search(std::string_view text) : text_(text) {}

  void add(const AddedToken& token, Range match) {
    if (token.single_word && !is_single_word(text_, match)) return;
    const uint32_t written_at = match.begin;
    if (token.lstrip) {
      match.begin =
          std::max(done_, start_of_spaces_before(text_, match.begin, std::min(done_, match.begin)));
    }
    if (token.rstrip) {
      if (spaces_end_ <= match.end) spaces_end_ = end_of_spaces_after(text_, match.end);
      match.end = spaces_end_;
    }
    if (match.begin >= match.end) return;  // spaces taken by the token before
    fill_to(match.begin);
    parts_.push_back({match, &token, written_at});
    done_ = match.end;
  }

  std::vector<Part> finish() {
    fill_to(static_cast<uint32_t>(text_.size()));
    return std::move(parts_);
  }

 private:
  void fill_to(uint32_t end) {
    if (done_ < end) parts_.push_back({{done_, end}, nullptr});
  }

  std::string_view text_;
  std::vector<Part> parts_;
  uint32_t done_ = 0;
  uint32_t spaces_end_ = 0;  // spaces are known to reach to here
};

std::vector<AddedTokens::Part> AddedTokens::find(std::string_view text,
                                                 std::span<const Range> searchable,
                                                 const ByteTrie& trie) const {
  Search search(text);
  if (trie.empty()) return search.finish();
  auto stretch = searchable.begin();
  for (uint32_t at = 0; at < text.size();) {
    while (stretch != searchable.end() && stretch->end <= at) ++stretch;
    const bool inside = stretch != searchable.end() && stretch->begin <= at;
    const uint32_t special_end = inside ? stretch->end : at;
    ByteTrie::Hit hit{0, -1};
    trie.for_each_prefix(text.substr(at), [&](uint32_t length, int32_t value) {
      const bool special = tokens_[static_cast<std::size_t>(value)].special;
      if (!special || at + length <= special_end) hit = {length, value};
    });
    if (hit.length > 0) {
      search.add(tokens_[static_cast<std::size_t>(hit.value)], {at, at + hit.length});
    }
    at += std::max(hit.length, uint32_t{1});
  }
  return search.finish();
}

}  // namespace inlay::text
