#include "text/sentence_piece_model.h"

#include <cmath>
#include <utility>

#include "base/error.h"
#include "text/protobuf_reader.h"
#include "text/utf8.h"
#include "text/vocabulary.h"

namespace inlay::text {
namespace {

using Piece = SentencePieceModel::Piece;
using PieceType = SentencePieceModel::PieceType;

// SentencePiece's own limit is 16 characters unless a trainer is told otherwise. Deriving merges
// takes the square of it.
constexpr std::size_t kMaxPieceBytes = 256;

Piece read_piece(std::string_view message, const std::string& place) {
  Piece piece;
  for (ProtobufReader fields(message, place); fields.next();) {
    if (fields.number() == 1) piece.text = fields.bytes();
    if (fields.number() == 2) piece.score = fields.real();
    if (fields.number() != 3) continue;
    require(fields.integer() >= 1 && fields.integer() <= 6, ErrorKind::kInput,
            "{}: a piece has the type {}; expected 1 to 6", place, fields.integer());
    piece.type = static_cast<PieceType>(fields.integer());
  }
  return piece;
}

// Negative numbers are written as those of 64 bits.
int32_t read_id(const ProtobufReader& fields, const std::string& place) {
  const auto id = static_cast<int64_t>(fields.integer());
  require(id >= -1 && id <= kMaxTokenId, ErrorKind::kInput,
          "{}: {} is not a token id; expected -1 to {}", place, id, kMaxTokenId);
  return static_cast<int32_t>(id);
}

void read_trainer_spec(SentencePieceModel& model, std::string_view message,
                       const std::string& place) {
  static constexpr std::pair<uint64_t, int32_t SentencePieceModel::*> kIds[] = {
      {40, &SentencePieceModel::unk_id},
      {41, &SentencePieceModel::bos_id},
      {42, &SentencePieceModel::eos_id},
      {43, &SentencePieceModel::pad_id}};
  for (ProtobufReader fields(message, place); fields.next();) {
    for (const auto& [number, id] : kIds) {
      if (fields.number() == number) model.*id = read_id(fields, place);
    }
    if (fields.number() == 35) model.byte_fallback = fields.flag();
    require(fields.number() != 24 || !fields.flag(), ErrorKind::kInput,
            "{}: treat_whitespace_as_suffix is not supported", place);
    if (fields.number() != 3) continue;
    require(fields.integer() == 1 || fields.integer() == 2, ErrorKind::kInput,
            "{}: model type {} is not supported; supported: 1 (unigram), 2 (BPE)", place,
            fields.integer());
    model.kind = static_cast<SentencePieceModel::Kind>(fields.integer());
  }
}

void read_normalizer_spec(SentencePieceModel& model, std::string_view message,
                          const std::string& place) {
  for (ProtobufReader fields(message, place); fields.next();) {
    if (fields.number() == 2) model.charsmap = fields.bytes();
    if (fields.number() == 3) model.add_dummy_prefix = fields.flag();
    if (fields.number() == 4) model.remove_extra_whitespaces = fields.flag();
    if (fields.number() == 5) {
      require(fields.flag(), ErrorKind::kInput,
              "{}: escape_whitespaces is off, which is not supported", place);
    }
  }
}

void check_ids(const SentencePieceModel& model, const std::string& place) {
  const auto count = static_cast<int64_t>(model.pieces.size());
  require(model.unk_id >= 0 && model.unk_id < count, ErrorKind::kInput,
          "{}: the unknown piece has id {}; expected 0 to {}", place, model.unk_id, count - 1);
  for (int32_t id : {model.bos_id, model.eos_id, model.pad_id}) {
    require(id < count, ErrorKind::kInput, "{}: a special piece has id {}; expected up to {}",
            place, id, count - 1);
  }
}

template <class Number>
Number read_number(std::string_view bytes, std::size_t& at, const std::string& place) {
  require(bytes.size() - at >= sizeof(Number), ErrorKind::kInput,
          "{}: the file of {} bytes ends inside a piece", place, bytes.size());
  Number value;
  bytes.copy(reinterpret_cast<char*>(&value), sizeof value, at);
  at += sizeof value;
  return value;
}

std::string with_visible_spaces(std::string_view text) {
  std::string visible;
  for (char c : text) c == ' ' ? visible += "▁" : visible += c;
  return visible;
}

}  // namespace

void add_piece(SentencePieceModel& model, SentencePieceModel::Piece piece,
               const std::string& place) {
  const std::size_t id = model.pieces.size();
  require(id <= static_cast<std::size_t>(kMaxTokenId), ErrorKind::kInput,
          "{}: more than {} pieces are not supported", place, kMaxTokenId);
  require(!piece.text.empty() && piece.text.size() <= kMaxPieceBytes, ErrorKind::kInput,
          "{}: piece {} has {} bytes; expected 1 to {}", place, id, piece.text.size(),
          kMaxPieceBytes);
  require(!first_invalid_utf8(piece.text), ErrorKind::kInput, "{}: piece {} is not valid UTF-8",
          place, id);
  require(std::isfinite(piece.score), ErrorKind::kInput, "{}: the score of piece {} is {}", place,
          id, piece.score);
  model.pieces.push_back(std::move(piece));
}

SentencePieceModel parse_sentence_piece_model(std::string_view bytes, const std::string& place) {
  SentencePieceModel model;
  for (ProtobufReader fields(bytes, place); fields.next();) {
    if (fields.number() == 1) add_piece(model, read_piece(fields.bytes(), place), place);
    if (fields.number() == 2) read_trainer_spec(model, fields.bytes(), place);
    if (fields.number() == 3) read_normalizer_spec(model, fields.bytes(), place);
  }
  require(!model.pieces.empty(), ErrorKind::kInput,
          "{}: found no pieces; expected a SentencePiece model", place);
  check_ids(model, place);
  return model;
}

SentencePieceModel parse_llama2c_tokenizer(std::string_view bytes, const std::string& place) {
  SentencePieceModel model;
  model.kind = SentencePieceModel::Kind::kBpe;
  model.byte_fallback = true;
  model.remove_extra_whitespaces = false;
  std::size_t at = 0;
  read_number<int32_t>(bytes, at, place);  // the longest piece: a hint for buffers
  const Piece first[] = {{"<unk>", 0, PieceType::kUnknown},
                         {"<s>", 0, PieceType::kControl},
                         {"</s>", 0, PieceType::kControl}};
  while (at < bytes.size()) {
    const auto score = read_number<float>(bytes, at, place);
    const auto length = static_cast<uint32_t>(read_number<int32_t>(bytes, at, place));
    require(length <= bytes.size() - at, ErrorKind::kInput,
            "{}: a piece at byte {} says it has {} bytes, where {} are left", place, at, length,
            bytes.size() - at);
    const std::size_t id = model.pieces.size();
    const std::string_view text = bytes.substr(at, length);
    const bool is_byte = text.size() == 6 && text.starts_with("<0x") && text.ends_with('>');
    add_piece(model,
              id < std::size(first) ? first[id]
                                    : Piece{with_visible_spaces(text), score,
                                            is_byte ? PieceType::kByte : PieceType::kNormal},
              place);
    at += length;
  }
  check_ids(model, place);
  return model;
}

}  // namespace inlay::text
