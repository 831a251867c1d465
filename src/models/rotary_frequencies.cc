#include "models/rotary_frequencies.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <span>
#include <utility>

#include "autograd/operands.h"
#include "base/error.h"

namespace inlay {
namespace {

constexpr int64_t kMaxPositions = int64_t{1} << 24;

// The object that says how positions are encoded, wherever the file keeps it, with the numbers that
// every method starts from.
class RotarySettings {
 public:
  RotarySettings(const ModelConfig& config, int64_t head_dim, int64_t max_positions,
                 const std::string& layer_type)
      : where_(config.where()), positions(max_positions) {
    const Json* json = find(config, layer_type);
    if (json != nullptr) json_ = *json;
    // Old files of Gemma 3 keep what layers with a window turn by beside the rest, unstretched.
    bool local = layer_type == "sliding_attention" && config.has("rope_local_base_freq") &&
                 !config.has("rope_parameters");
    if (local) json_ = Json::object();
    const char* base = local ? "rope_local_base_freq" : "rope_theta";
    theta = number_or("rope_theta", config.number_or(base, 10000.0, 1e-6, 1e12));
    double share = number_or("partial_rotary_factor",
                             config.number_or("partial_rotary_factor", 1.0, 0.0, 1.0));
    turned = static_cast<int64_t>(static_cast<double>(head_dim) * share);
    require(turned >= 2 && turned % 2 == 0, ErrorKind::kInput,
            "{}: rotary positions turn {} of {} channels of a head; expected an even number",
            where_, turned, head_dim);
    type = text_or("rope_type", text_or("type", "default"));
    original = static_cast<int64_t>(number_or(
        "original_max_position_embeddings",
        config.number_or("original_max_position_embeddings", static_cast<double>(max_positions), 1,
                         static_cast<double>(kMaxPositions))));
    require(original >= 1, ErrorKind::kInput,
            "{}: \"original_max_position_embeddings\" is {}; expected 1 or more", where_, original);
  }

  bool has(const char* key) const { return json_.contains(key) && !json_.at(key).is_null(); }
  double number_or(const char* key, double fallback) const {
    double value = json_get_or<double>(json_, key, fallback, where_ + ": rope");
    require(std::isfinite(value), ErrorKind::kInput, "{}: rope \"{}\" is not a finite number",
            where_, key);
    return value;
  }
  double number(const char* key) const {
    require(has(key), ErrorKind::kInput, "{}: rope_type \"{}\" needs \"{}\", which is missing",
            where_, type, key);
    return number_or(key, 0);
  }
  bool flag_or(const char* key, bool fallback) const {
    return json_get_or<bool>(json_, key, fallback, where_ + ": rope");
  }
  // At least 1, as a stretch is.
  double factor() const {
    double value = number("factor");
    require(value >= 1, ErrorKind::kInput, "{}: rope \"factor\" is {}; expected 1 or more", where_,
            value);
    return value;
  }
  std::vector<double> list(const char* key) const {
    require(has(key), ErrorKind::kInput, "{}: rope_type \"{}\" needs \"{}\", which is missing",
            where_, type, key);
    const Json& list = json_.at(key);
    require(list.is_array() && static_cast<int64_t>(list.size()) == turned / 2, ErrorKind::kInput,
            "{}: rope \"{}\" is {} of {}; expected an array of {}, one for each pair of channels",
            where_, key, list.type_name(), list.size(), turned / 2);
    std::vector<double> values;
    values.reserve(list.size());
    for (const Json& item : list) {
      double value = item.is_number() ? item.get<double>() : 0;
      require(value > 0 && std::isfinite(value), ErrorKind::kInput,
              "{}: rope \"{}\" holds {}; expected positive numbers", where_, key, item.dump());
      values.push_back(value);
    }
    return values;
  }

 private:
  const Json* find(const ModelConfig& config, const std::string& layer_type) const {
    for (const char* key : {"rope_parameters", "rope_scaling"}) {
      if (!config.has(key)) continue;
      const Json* found = &config.json().at(key);
      require(found->is_object(), ErrorKind::kInput, "{}: \"{}\" is {}; expected an object", where_,
              key, found->type_name());
      auto own = layer_type.empty() ? found->end() : found->find(layer_type);
      if (own != found->end() && own->is_object()) found = &*own;
      return found;
    }
    return nullptr;
  }
  std::string text_or(const char* key, const std::string& fallback) const {
    return json_get_or<std::string>(json_, key, fallback, where_ + ": rope");
  }

  Json json_ = Json::object();
  std::string where_;

 public:
  double theta = 10000;
  int64_t turned = 0;     // channels of a head
  int64_t original = 0;   // positions before the stretch
  int64_t positions = 0;  // positions after it
  std::string type;
};

// theta^(-2i / turned), each divided by its own factor where there are some.
std::vector<double> plain(const RotarySettings& settings, std::span<const double> factors = {}) {
  std::vector<double> inverse;
  inverse.reserve(static_cast<std::size_t>(settings.turned / 2));
  for (int64_t i = 0; i < settings.turned / 2; ++i) {
    double own = factors.empty() ? 1.0 : factors[static_cast<std::size_t>(i)];
    inverse.push_back(std::pow(settings.theta, -2.0 * static_cast<double>(i) /
                                                   static_cast<double>(settings.turned)) /
                      own);
  }
  return inverse;
}

RotaryFrequencies by_default(const RotarySettings& settings) { return {plain(settings), {}, 0, 1}; }

RotaryFrequencies linear(const RotarySettings& settings) {
  std::vector<double> inverse = plain(settings);
  for (double& value : inverse) value /= settings.factor();
  return {std::move(inverse), {}, 0, 1};
}

// Long waves are stretched, short ones stay, those between are blended.
RotaryFrequencies llama3(const RotarySettings& settings) {
  double factor = settings.factor(), low = settings.number("low_freq_factor");
  double high = settings.number("high_freq_factor");
  auto original = static_cast<double>(settings.original);
  std::vector<double> inverse = plain(settings);
  for (double& value : inverse) {
    double turns = original * value / (2 * std::numbers::pi);  // over the original positions
    double kept =
        high > low ? std::clamp((turns - low) / (high - low), 0.0, 1.0) : (turns > low ? 1.0 : 0.0);
    value = kept * value + (1 - kept) * value / factor;
  }
  return {std::move(inverse), {}, 0, 1};
}

double yarn_magnitude(double factor, double weight) {
  return factor <= 1 ? 1.0 : 0.1 * weight * std::log(factor) + 1;
}

double yarn_scale(const RotarySettings& settings, double factor) {
  if (settings.has("attention_factor")) return settings.number("attention_factor");
  if (settings.has("mscale") && settings.has("mscale_all_dim")) {
    return yarn_magnitude(factor, settings.number("mscale")) /
           yarn_magnitude(factor, settings.number("mscale_all_dim"));
  }
  return yarn_magnitude(factor, 1);
}

// The channels whose waves turn beta_fast and beta_slow times over the original positions: in whole
// ones, rounded outwards, unless "truncate" is false.
std::pair<double, double> yarn_ramp(const RotarySettings& settings) {
  auto turned = static_cast<double>(settings.turned);
  auto channel_of = [&](double turns) {
    return turned *
           std::log(static_cast<double>(settings.original) / (turns * 2 * std::numbers::pi)) /
           (2 * std::log(settings.theta));
  };
  double first = channel_of(settings.number_or("beta_fast", 32));
  double last = channel_of(settings.number_or("beta_slow", 1));
  if (settings.flag_or("truncate", true)) {
    first = std::floor(first);
    last = std::ceil(last);
  }
  first = std::max(0.0, first);
  last = std::min(turned - 1, last);
  return {first, first == last ? last + 0.001 : last};
}

// Channels between those two are blended, by a ramp over their number (Peng et al. 2023, section
// 3.2).
RotaryFrequencies yarn(const RotarySettings& settings) {
  double factor = settings.factor();
  auto [first, last] = yarn_ramp(settings);
  std::vector<double> inverse = plain(settings);
  for (std::size_t i = 0; i < inverse.size(); ++i) {
    double stretched = std::clamp((static_cast<double>(i) - first) / (last - first), 0.0, 1.0);
    inverse[i] = stretched * inverse[i] / factor + (1 - stretched) * inverse[i];
  }
  return {std::move(inverse), {}, 0, yarn_scale(settings, factor)};
}

RotaryFrequencies longrope(const RotarySettings& settings) {
  double factor = settings.has("factor") ? settings.factor()
                                         : static_cast<double>(settings.positions) /
                                               static_cast<double>(settings.original);
  double scale = 1;
  if (settings.has("attention_factor")) {
    scale = settings.number("attention_factor");
  } else if (factor > 1) {
    scale = std::sqrt(1 + std::log(factor) / std::log(static_cast<double>(settings.original)));
  }
  return {plain(settings, settings.list("short_factor")),
          plain(settings, settings.list("long_factor")), settings.original, scale};
}

struct RotaryType {
  const char* name;
  RotaryFrequencies (*make)(const RotarySettings& settings);
};

// "dynamic" stretches by the length of the text once that exceeds the base's positions, which no
// text here does. "su" is what the first files with longrope called it.
constexpr RotaryType kTypes[] = {
    {"default", by_default}, {"linear", linear},     {"dynamic", by_default}, {"llama3", llama3},
    {"yarn", yarn},          {"longrope", longrope}, {"su", longrope}};

}  // namespace

RotaryFrequencies read_rotary_frequencies(const ModelConfig& config, int64_t head_dim,
                                          int64_t max_positions, const std::string& layer_type) {
  RotarySettings settings(config, head_dim, max_positions, layer_type);
  std::string known;
  for (const RotaryType& type : kTypes) {
    if (settings.type == type.name) return type.make(settings);
    known += known.empty() ? "" : ", ";
    known += type.name;
  }
  fail(ErrorKind::kInput, "{}: rope_type \"{}\" is not supported; supported: {}", config.where(),
       settings.type, known);
}

RotaryTables rotary_tables(const std::vector<double>& inverse, double scale, int64_t positions) {
  auto pairs = static_cast<int64_t>(inverse.size());
  RotaryTables tables{Tensor::empty({positions, pairs}, DType::kF32),
                      Tensor::empty({positions, pairs}, DType::kF32)};
  for (int64_t p = 0; p < positions; ++p) {
    for (int64_t i = 0; i < pairs; ++i) {
      double angle = static_cast<double>(p) * inverse[static_cast<std::size_t>(i)];
      out(tables.cosine).store(p * pairs + i, std::cos(angle) * scale);
      out(tables.sine).store(p * pairs + i, std::sin(angle) * scale);
    }
  }
  return tables;
}

}  // namespace inlay
