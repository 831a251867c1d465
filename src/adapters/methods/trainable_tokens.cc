// Trainable tokens, a method of PEFT: the embeddings of a few tokens are trained and every other
// row of the table stays: W' = W.index_copy(0, token_indices, delta), where delta starts as a copy
// of those rows. A masked-LM decoder that shares the table has the same rows. That new tokens have
// embeddings of their own while the model is frozen is "soft verbalizers" and prompt tuning's idea:
// Lester et al. 2021, arXiv:2104.08691; Hambardzumyan et al. 2021 (WARP), arXiv:2101.00121.
#include <algorithm>
#include <charconv>
#include <cstring>
#include <set>
#include <utility>

#include "adapters/method.h"
#include "adapters/peft_form.h"
#include "adapters/targets.h"

namespace inlay {
namespace {

constexpr const char* kTokens = "token_indices";

// kUsage where a text is no row of the table, or names one twice.
std::vector<int32_t> row_numbers(const std::vector<std::string>& texts, const Site& table) {
  std::vector<int32_t> numbers;
  numbers.reserve(texts.size());
  std::set<int32_t> seen;
  for (const std::string& text : texts) {
    int32_t number = -1;
    const char* end = text.data() + text.size();
    auto [last, error] = std::from_chars(text.data(), end, number);
    require(error == std::errc() && last == end && number >= 0 && number < table.in,
            ErrorKind::kUsage,
            "trainable_tokens: token_indices names \"{}\", which is no row of {}; expected whole "
            "numbers from 0 to {}, with '+' between them",
            text, table.name, table.in - 1);
    require(seen.insert(number).second, ErrorKind::kUsage,
            "trainable_tokens: token_indices names {} twice; name each token once", number);
    numbers.push_back(number);
  }
  return numbers;
}

std::size_t row_bytes(const Tensor& rows) {
  return static_cast<std::size_t>(rows.dim(1)) * dtype_size(rows.dtype());
}

class TrainedRowsHook : public SiteHook {
 public:
  TrainedRowsHook(Parameter& values, std::vector<int32_t> numbers)
      : values_(values), numbers_(std::move(numbers)) {}

  Replacements replacements() override { return {.rows = {&values_, &numbers_}}; }

  bool merge(MergedTensors& merged) override {
    Tensor rows = values_.value().to(merged.weight.dtype());
    std::size_t bytes = row_bytes(rows), place = 0;
    for (int32_t number : numbers_.in_order()) {
      std::memcpy(merged.weight.mutable_raw() + static_cast<std::size_t>(number) * bytes,
                  rows.raw() + place++ * bytes, bytes);
    }
    return true;
  }

 private:
  Parameter& values_;
  RowNumbers numbers_;
};

class TrainableTokens : public Method {
 public:
  void fields(FieldVisitor& visit) override {
    visit(kTokens, token_indices_,
          "ids of the tokens, such as 101+2054; empty: the special tokens that the base's "
          "tokenizer sets around every text");
    visit("target_modules", target_modules_,
          "names (suffixes) of embedding tables, or a pattern; empty: the word embeddings");
  }

  void settle(const BaseFacts& base) override {
    if (!token_indices_.empty()) return;
    require_texts(base);
    for (int32_t id : base.special_tokens()) {
      std::string text = std::to_string(id);
      bool known =
          std::find(token_indices_.begin(), token_indices_.end(), text) != token_indices_.end();
      if (!known) token_indices_.push_back(text);
    }
    require(!token_indices_.empty(), ErrorKind::kUsage,
            "trainable_tokens: the tokenizer of this base sets no special tokens around a text; "
            "name the tokens to train: trainable_tokens[token_indices=101+2054]");
  }

  std::vector<const Site*> select(const BaseFacts& base) const override {
    std::vector<const Site*> tables;
    if (target_modules_.empty()) {
      tables.push_back(&word_table(base));
    } else {
      tables = select_targets(base, {SiteKind::kEmbedding}, {.target_modules = target_modules_});
    }
    for (const Site* table : tables) row_numbers(token_indices_, *table);
    return tables;
  }

  std::unique_ptr<SiteHook> attach(const Site& site, ParameterMaker& make) const override {
    std::vector<int32_t> numbers = row_numbers(token_indices_, site);
    Tensor start = Tensor::empty({static_cast<int64_t>(numbers.size()), site.out}, DType::kF32);
    std::size_t bytes = row_bytes(start), place = 0;
    for (int32_t number : numbers) {
      Tensor row = site.weight.rows(number, number + 1).to(DType::kF32);
      std::memcpy(start.mutable_raw() + place++ * bytes, row.raw(), bytes);
    }
    Parameter& values = make.make(site, "token_adapter.trainable_tokens_delta", std::move(start));
    return std::make_unique<TrainedRowsHook>(values, std::move(numbers));
  }

 private:
  static void require_texts(const BaseFacts& base) {
    require(!base.images, ErrorKind::kUsage,
            "trainable_tokens: this {} base reads images, which have no tokens to name; use vpt",
            base.model_type);
  }

  static const Site& word_table(const BaseFacts& base) {
    require_texts(base);
    auto found = std::find_if(base.sites.begin(), base.sites.end(), [](const Site* site) {
      return site->kind == SiteKind::kEmbedding;  // the word table is the first
    });
    require(found != base.sites.end(), ErrorKind::kUsage,
            "trainable_tokens: this {} base has no table of embeddings; use lora", base.model_type);
    return **found;
  }

  std::vector<std::string> token_indices_;
  std::vector<std::string> target_modules_;
};

// PEFT's ids are numbers.
void write_tokens(const Json& fields, const SiteSet&, Json& config) {
  Json ids = Json::array();
  for (const Json& text : fields.at(kTokens)) ids.push_back(std::stoi(text.get<std::string>()));
  config[kTokens] = std::move(ids);
}
void read_tokens(const Json& config, const SiteSet&, const std::string& where, Json& fields) {
  Json ids = config.value(kTokens, Json());
  bool numbers =
      ids.is_array() && !ids.empty() &&
      std::all_of(ids.begin(), ids.end(), [](const Json& id) { return id.is_number_integer(); });
  require(numbers, ErrorKind::kInput,
          "{}: \"token_indices\" is {}; expected a list of the trained tokens' ids", where,
          ids.dump(-1, ' ', true).substr(0, 80));
  fields[kTokens] = Json::array();
  for (const Json& id : ids) fields[kTokens].push_back(id.dump());
}

const PeftForm& trainable_tokens_form() {
  static const PeftForm form{.type = "TRAINABLE_TOKENS",
                             .keys = {{"init_weights", true, PeftKey::kNoMatter},
                                      {kTokens, Json::array(), PeftKey::kCustom}},
                             .narrows_targets = false,
                             .kinds = {SiteKind::kEmbedding},
                             .write = write_tokens,
                             .read = read_tokens};
  return form;
}

}  // namespace

const MethodInfo& method_trainable_tokens() {
  static const MethodInfo info{
      .name = "trainable_tokens",
      .summary = "Trains the embeddings of a few tokens; the rest of the table stays.",
      .citation = "arXiv:2104.08691",
      .example = "trainable_tokens[token_indices=2+3+7]",
      .format = AdapterFormat::kPeft,
      .peft = &trainable_tokens_form(),
      .learning_rate = 1e-2,
      .epochs = 5,
      .make = []() -> std::unique_ptr<Method> { return std::make_unique<TrainableTokens>(); }};
  return info;
}

}  // namespace inlay
