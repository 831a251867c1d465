// Reads a model's config.json without trusting it: a size limit, the types and ranges that a family
// needs, and errors that name the file and the key.
//
//   ModelConfig config = ModelConfig::read(folder / "config.json");
//   int64_t hidden = config.integer("hidden_size", 1, 1 << 20);
//   double eps = config.number_or("layer_norm_eps", 1e-12, 0, 1);
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace inlay {

class ModelConfig {
 public:
  static ModelConfig read(const std::filesystem::path& path);
  static ModelConfig parse(std::string_view text, std::string where);

  // A key that is absent or null counts as missing. Ranges are inclusive.
  bool has(const char* key) const;
  int64_t integer(const char* key, int64_t low, int64_t high) const;
  int64_t integer_or(const char* key, int64_t fallback, int64_t low, int64_t high) const;
  // A list of integers.
  std::vector<int64_t> integers_or(const char* key, std::vector<int64_t> fallback, int64_t low,
                                   int64_t high) const;
  double number(const char* key, double low, double high) const;
  double number_or(const char* key, double fallback, double low, double high) const;
  bool boolean_or(const char* key, bool fallback) const;
  std::string text(const char* key) const;
  std::string text_or(const char* key, std::string fallback) const;
  // {"0": "negative", "1": "positive"}: the names by number, which must run from 0 without a gap.
  // Empty when missing.
  std::vector<std::string> labels() const;

  const Json& json() const { return json_; }
  const std::string& where() const { return where_; }

 private:
  Json json_;
  std::string where_;
};

}  // namespace inlay
