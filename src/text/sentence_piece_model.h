// What a SentencePiece model file (tokenizer.model, spiece.model) says, as far as it decides which
// tokens a text has. The format is sentencepiece_model.proto of the SentencePiece library.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace inlay::text {

struct SentencePieceModel {
  enum class Kind : uint8_t { kUnigram = 1, kBpe = 2 };
  enum class PieceType : uint8_t {
    kNormal = 1,
    kUnknown = 2,
    kControl = 3,  // stands for no text
    kUserDefined = 4,
    kUnused = 5,
    kByte = 6
  };
  struct Piece {
    std::string text;
    float score = 0;
    PieceType type = PieceType::kNormal;
  };

  // Trainer settings and normalizer settings, with the format's defaults.
  std::vector<Piece> pieces;  // by id
  Kind kind = Kind::kUnigram;
  bool byte_fallback = false;
  int32_t unk_id = 0;  // ids of -1: there is none
  int32_t bos_id = 1;
  int32_t eos_id = 2;
  int32_t pad_id = -1;
  std::string charsmap;  // see charsmap.h; empty for none
  bool add_dummy_prefix = true;
  bool remove_extra_whitespaces = true;
};

// The next piece. kInput, naming `place`, for one that is empty, too long, or not UTF-8, and for a
// score that is not finite.
void add_piece(SentencePieceModel& model, SentencePieceModel::Piece piece,
               const std::string& place);

// Bytes that are no such model, or one of a kind that is not supported, are an Error that names
// `place`.
SentencePieceModel parse_sentence_piece_model(std::string_view bytes, const std::string& place);

// The tok*.bin of llama2.c: the pieces of a byte-pair encoding with byte fallback, as
//   i32 longest | (f32 score, i32 length, bytes)...
// in which spaces stand for themselves and the first three are the unknown token, the beginning
// and the end.
SentencePieceModel parse_llama2c_tokenizer(std::string_view bytes, const std::string& place);

}  // namespace inlay::text
