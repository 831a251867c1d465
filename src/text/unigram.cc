// The unigram language model (Kudo 2018): of all ways to cut a piece into tokens, the one of the
// largest sum of scores, log probabilities. Scores, ties and unknown characters as in SentencePiece
// and in the `tokenizers` library.
#include <array>
#include <cmath>
#include <limits>

#include "text/byte_tokens.h"
#include "text/byte_trie.h"
#include "text/model.h"
#include "text/utf8.h"

namespace inlay::text {
namespace {

// How much worse than the worst token an unknown character is.
constexpr double kUnknownPenalty = 10.0;

// The member "vocab": [["token", score], ...], the ids being the places in the list.
Vocabulary read_vocabulary(const Component& model, std::vector<double>& scores) {
  const auto found = model.json().find("vocab");
  require(found != model.json().end() && found->is_array(), ErrorKind::kInput,
          "{}: \"vocab\" is missing or not a list of [token, score]", model.place());
  require(found->size() <= static_cast<std::size_t>(kMaxTokenId), ErrorKind::kInput,
          "{}: \"vocab\" has {} tokens; at most {} are supported", model.place(), found->size(),
          kMaxTokenId);
  Vocabulary vocabulary;
  scores.reserve(found->size());
  for (const Json& entry : *found) {
    const auto id = static_cast<int32_t>(scores.size());
    const bool is_pair = entry.is_array() && entry.size() == 2 && entry[0].is_string() &&
                         entry[1].is_number() && std::isfinite(entry[1].get<double>());
    require(is_pair, ErrorKind::kInput, "{}.vocab[{}]: expected [token, score]", model.place(), id);
    vocabulary.add(entry[0].get_ref<const std::string&>(), id, model.place() + ".vocab");
    scores.push_back(entry[1].get<double>());
  }
  return vocabulary;
}

class Unigram : public Model {
 public:
  explicit Unigram(const Component& component) : Unigram(component, std::vector<double>()) {}

  void tokenize(std::string_view text, std::span<const Range> pieces, const TokenSet& reserved,
                std::vector<ModelToken>& tokens) const override {
    std::vector<Step> steps;
    for (uint32_t i = 0; i < pieces.size(); ++i) {
      const std::string_view piece = text.substr(pieces[i].begin, pieces[i].end - pieces[i].begin);
      find_best(piece, reserved, steps);
      const std::size_t before = tokens.size();
      for (auto end = static_cast<uint32_t>(piece.size()); end > 0;) {
        uint32_t begin = steps[end].begin;
        // Neighbouring unknown characters are one token.
        if (steps[end].id == unknown_id_) {
          while (begin > 0 && steps[begin].id == unknown_id_) begin = steps[begin].begin;
        }
        add(piece, {begin, end}, steps[end].id, reserved, tokens);
        end = begin;
      }
      std::reverse(tokens.begin() + static_cast<std::ptrdiff_t>(before), tokens.end());
      for (std::size_t t = before; t < tokens.size(); ++t) {
        tokens[t].range = {tokens[t].range.begin + pieces[i].begin,
                           tokens[t].range.end + pieces[i].begin};
        tokens[t].piece = i;
      }
    }
  }

  std::string_view unknown_token() const override {
    return unknown_id_ < 0 ? std::string_view() : *vocabulary().token(unknown_id_);
  }

 private:
  // The best way to reach a byte of a piece: its score and its last token.
  struct Step {
    double score = 0;
    uint32_t begin = kUnreached;
    int32_t id = 0;
  };
  static constexpr uint32_t kUnreached = std::numeric_limits<uint32_t>::max();

  // `scores` is empty; it is filled while the vocabulary is read.
  Unigram(const Component& component, std::vector<double> scores)
      : Model(read_vocabulary(component, scores)),
        scores_(std::move(scores)),
        byte_ids_(component.flag_or("byte_fallback", false) ? read_byte_tokens(vocabulary())
                                                            : no_byte_tokens()) {
    double lowest = std::numeric_limits<double>::infinity();
    for (std::size_t id = 0; id < scores_.size(); ++id) {
      trie_.insert(vocabulary().token_at(id), static_cast<int32_t>(id));
      lowest = std::min(lowest, scores_[id]);
    }
    unknown_score_ = lowest - kUnknownPenalty;
    if (!component.has("unk_id")) return;
    const int64_t unknown = component.integer("unk_id");
    require(unknown >= 0 && static_cast<std::size_t>(unknown) < scores_.size(), ErrorKind::kInput,
            "{}: unk_id {} is not in the vocabulary of {} tokens", component.place(), unknown,
            scores_.size());
    unknown_id_ = static_cast<int32_t>(unknown);
  }

  // Viterbi's algorithm over the bytes of a piece. Of equal scores the first found stays, which is
  // the one whose last token is longest.
  void find_best(std::string_view piece, const TokenSet& reserved, std::vector<Step>& steps) const {
    steps.assign(piece.size() + 1, Step());
    auto offer = [&steps](uint32_t begin, uint32_t end, int32_t id, double score) {
      const double sum = score + steps[begin].score;
      Step& step = steps[end];
      if (step.begin == kUnreached || sum > step.score) step = {sum, begin, id};
    };
    for (uint32_t at = 0; at < piece.size();) {
      const auto length = static_cast<uint32_t>(decode_utf8(piece, at).length);
      bool is_known = false;
      trie_.for_each_prefix(piece.substr(at), [&](uint32_t bytes, int32_t id) {
        if (reserved.contains(id)) return;
        is_known = is_known || bytes == length;
        offer(at, at + bytes, id, scores_[static_cast<std::size_t>(id)]);
      });
      if (!is_known) {
        require(unknown_id_ >= 0, ErrorKind::kInput,
                "\"{}\" is in no token of the vocabulary, and the tokenizer has no unk_id",
                piece.substr(at, length));
        offer(at, at + length, unknown_id_, unknown_score_);
      }
      at += length;
    }
  }

  // One token, or in the place of an unknown one those of its bytes, last first.
  void add(std::string_view piece, Range range, int32_t id, const TokenSet& reserved,
           std::vector<ModelToken>& tokens) const {
    const std::string_view written = piece.substr(range.begin, range.end - range.begin);
    if (id == unknown_id_) {
      // A run of unknown characters may spell a token that none of them is.
      if (const auto known = find(written, reserved))
        id = *known;
      else if (has_all_bytes(written)) {
        for (auto c = written.rbegin(); c != written.rend(); ++c) {
          tokens.push_back({byte_ids_[static_cast<uint8_t>(*c)], range, 0});
        }
        return;
      }
    }
    tokens.push_back({id, range, 0});
  }

  bool has_all_bytes(std::string_view written) const {
    return std::all_of(written.begin(), written.end(),
                       [this](char c) { return byte_ids_[static_cast<uint8_t>(c)] >= 0; });
  }

  std::vector<double> scores_;  // by id
  ByteTokens byte_ids_;
  ByteTrie trie_;  // values are ids
  double unknown_score_ = 0;
  int32_t unknown_id_ = -1;
};

}  // namespace

std::unique_ptr<const Model> build_unigram(const Component& component) {
  return std::make_unique<Unigram>(component);
}

}  // namespace inlay::text
