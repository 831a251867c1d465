#include "formats/model_config.h"

#include <utility>

#include "base/error.h"
#include "base/files.h"

namespace inlay {
namespace {

constexpr std::size_t kMaxConfigBytes = 8u << 20;

}  // namespace

ModelConfig ModelConfig::read(const std::filesystem::path& path) {
  return parse(read_file(path, kMaxConfigBytes), path.string());
}

ModelConfig ModelConfig::parse(std::string_view text, std::string where) {
  require(text.size() <= kMaxConfigBytes, ErrorKind::kInput,
          "{}: {} bytes, more than the limit of {}", where, text.size(), kMaxConfigBytes);
  ModelConfig config;
  config.json_ = parse_json(text, where);
  config.where_ = std::move(where);
  require(config.json_.is_object(), ErrorKind::kInput, "{}: expected a JSON object, found {}",
          config.where_, config.json_.type_name());
  return config;
}

bool ModelConfig::has(const char* key) const {
  auto found = json_.find(key);
  return found != json_.end() && !found->is_null();
}

int64_t ModelConfig::integer(const char* key, int64_t low, int64_t high) const {
  auto value = json_get<int64_t>(json_, key, where_);
  require(low <= value && value <= high, ErrorKind::kInput, "{}: \"{}\" is {}; expected {} to {}",
          where_, key, value, low, high);
  return value;
}

int64_t ModelConfig::integer_or(const char* key, int64_t fallback, int64_t low,
                                int64_t high) const {
  return has(key) ? integer(key, low, high) : fallback;
}

double ModelConfig::number(const char* key, double low, double high) const {
  auto value = json_get<double>(json_, key, where_);
  require(low <= value && value <= high, ErrorKind::kInput, "{}: \"{}\" is {}; expected {} to {}",
          where_, key, value, low, high);
  return value;
}

std::vector<int64_t> ModelConfig::integers_or(const char* key, std::vector<int64_t> fallback,
                                              int64_t low, int64_t high) const {
  if (!has(key)) return fallback;
  const Json& list = json_.at(key);
  require(list.is_array() && list.size() <= 1024, ErrorKind::kInput,
          "{}: \"{}\" is not a list of up to 1024 integers", where_, key);
  std::vector<int64_t> numbers;
  numbers.reserve(list.size());
  for (const Json& item : list) {
    require(item.is_number_integer() && item.get<int64_t>() >= low && item.get<int64_t>() <= high,
            ErrorKind::kInput, "{}: \"{}\" holds {}; expected integers from {} to {}", where_, key,
            item.dump(), low, high);
    numbers.push_back(item.get<int64_t>());
  }
  return numbers;
}

double ModelConfig::number_or(const char* key, double fallback, double low, double high) const {
  return has(key) ? number(key, low, high) : fallback;
}

bool ModelConfig::boolean_or(const char* key, bool fallback) const {
  return json_get_or<bool>(json_, key, fallback, where_);
}

std::string ModelConfig::text(const char* key) const {
  return json_get<std::string>(json_, key, where_);
}

std::string ModelConfig::text_or(const char* key, std::string fallback) const {
  return json_get_or<std::string>(json_, key, std::move(fallback), where_);
}

std::vector<std::string> ModelConfig::labels() const {
  if (!has("id2label")) return {};
  const Json& map = json_.at("id2label");
  require(map.is_object(), ErrorKind::kInput, "{}: \"id2label\" is {}; expected an object", where_,
          map.type_name());
  std::vector<std::string> labels;
  for (std::size_t i = 0; i < map.size(); ++i) {
    labels.push_back(json_get<std::string>(map, std::to_string(i).c_str(), where_ + ": id2label"));
  }
  return labels;
}

}  // namespace inlay
