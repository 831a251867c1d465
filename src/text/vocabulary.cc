#include "text/vocabulary.h"

#include <functional>

namespace inlay::text {
namespace {

uint64_t hash_of(std::string_view token) { return std::hash<std::string_view>()(token) >> 1; }

}  // namespace

int32_t read_token_id(const Json& value, const std::string& place) {
  require(value.is_number_unsigned() && value.get<uint64_t>() <= kMaxTokenId, ErrorKind::kInput,
          "{}: {} is not a token id; expected an integer from 0 to {}", place,
          value.dump().substr(0, 60), kMaxTokenId);
  return static_cast<int32_t>(value.get<uint64_t>());
}

Vocabulary::Vocabulary(const Component& model) {
  const Component vocab = model.child("vocab");
  for (const auto& [token, id] : vocab.json().items())
    add(token, read_token_id(id, vocab.place()), vocab.place());
}

void Vocabulary::add(std::string_view token, int32_t id, const std::string& place) {
  require(token.size() <= kMaxTokenBytes, ErrorKind::kInput,
          "{}: the token \"{}...\" has {} bytes; at most {} are supported", place,
          token.substr(0, 40), token.size(), kMaxTokenBytes);
  const auto index = static_cast<std::size_t>(id);
  if (index >= by_id_.size()) by_id_.resize(index + 1, 0);
  require(by_id_[index] == 0, ErrorKind::kInput, "{}: tokens \"{}\" and \"{}\" have the same id {}",
          place, by_id_[index] == 0 ? std::string_view() : token_at(by_id_[index] - 1), token, id);
  require(!this->id(token), ErrorKind::kInput, "{}: token \"{}\" appears twice", place, token);
  uint32_t& newest = by_hash_[hash_of(token)];
  entries_.push_back({bytes_.size(), static_cast<uint32_t>(token.size()), id, newest});
  bytes_ += token;
  newest = by_id_[index] = static_cast<uint32_t>(entries_.size());
}

std::optional<int32_t> Vocabulary::id(std::string_view token) const {
  const uint32_t* newest = by_hash_.find(hash_of(token));
  for (uint32_t i = newest == nullptr ? 0 : *newest; i != 0; i = entries_[i - 1].next_of_hash) {
    if (view(entries_[i - 1]) == token) return entries_[i - 1].id;
  }
  return std::nullopt;
}

std::optional<std::string_view> Vocabulary::token(int32_t id) const {
  if (id < 0 || static_cast<std::size_t>(id) >= by_id_.size()) return std::nullopt;
  const uint32_t entry = by_id_[static_cast<std::size_t>(id)];
  if (entry == 0) return std::nullopt;
  return token_at(entry - 1);
}

}  // namespace inlay::text
