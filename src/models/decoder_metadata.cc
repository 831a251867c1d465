#include "models/decoder_metadata.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "formats/gguf_names.h"

namespace inlay {
namespace {

// What a file keeps as float32, and computes from it, may differ by this much.
constexpr double kRounding = 1e-6;

class Writer {
 public:
  Writer(GgufMetadata& metadata, const std::string& architecture)
      : metadata_(metadata), prefix_(architecture + ".") {
    metadata.set("general.architecture", GgufValue::of(architecture));
  }
  void integer(const std::string& key, int64_t value) {
    metadata_.set(prefix_ + key, GgufValue::of(static_cast<uint32_t>(value)));
  }
  void number(const std::string& key, double value) {
    metadata_.set(prefix_ + key, GgufValue::of(static_cast<float>(value)));
  }
  void text(const std::string& key, const std::string& value) {
    metadata_.set(prefix_ + key, GgufValue::of(value));
  }

 private:
  GgufMetadata& metadata_;
  std::string prefix_;
};

// How a config.json says that all positions turn, or those of layers without a window.
Json rope_settings(const ModelConfig& config) {
  Json found = Json::object();
  for (const char* key : {"rope_scaling", "rope_parameters"}) {
    if (config.has(key)) found = config.json().at(key);
  }
  if (found.contains("full_attention")) found = Json(found.at("full_attention"));
  if (!found.contains("rope_theta"))
    found["rope_theta"] = config.number_or("rope_theta", 10000, 1e-6, 1e12);
  if (!found.contains("rope_type")) found["rope_type"] = found.value("type", "default");
  return found;
}

// theta^(-2i / turned) / inverse_i: what each pair of channels is slowed down by.
Tensor slowed_by(const std::vector<double>& inverse, double theta) {
  Tensor factors = Tensor::empty({static_cast<int64_t>(inverse.size())}, DType::kF32);
  const double turned = 2 * static_cast<double>(inverse.size());
  for (std::size_t i = 0; i < inverse.size(); ++i) {
    const double plain = std::pow(theta, -2 * static_cast<double>(i) / turned);
    factors.mutable_data<float>()[i] = static_cast<float>(plain / inverse[i]);
  }
  return factors;
}

// The graphs of other architectures leave tensors of factors unread.
void require_reader(const std::string& architecture, const ModelConfig& config,
                    const std::string& rope_type) {
  const std::string own = gguf_architecture(config.text("model_type"));
  require(own == architecture, ErrorKind::kInput,
          "{}: llama.cpp's architecture \"{}\" cannot say the {} rotary positions of this base",
          config.where(), own, rope_type);
}

std::vector<NamedGgufTensor> set_rope(Writer& write, const ModelConfig& config,
                                      const RotaryFrequencies& rotation) {
  const Json settings = rope_settings(config);
  const auto type = settings.at("rope_type").get<std::string>();
  const auto theta = settings.at("rope_theta").get<double>();
  write.integer("rope.dimension_count", 2 * static_cast<int64_t>(rotation.inverse.size()));
  write.number("rope.freq_base", theta);
  if (type == "llama3") {
    require_reader("llama", config, type);
    return {{"rope_freqs.weight", slowed_by(rotation.inverse, theta)}};
  }
  if (!rotation.inverse_long.empty()) {
    require_reader("phi3", config, type);
    write.integer("rope.scaling.original_context_length", rotation.original_positions);
    write.number("rope.scaling.attn_factor", rotation.scale);
    return {{"rope_factors_long.weight", slowed_by(rotation.inverse_long, theta)},
            {"rope_factors_short.weight", slowed_by(rotation.inverse, theta)}};
  }
  if (type != "linear" && type != "yarn") return {};
  write.text("rope.scaling.type", type);
  write.number("rope.scaling.factor", settings.at("factor").get<double>());
  if (type == "yarn") {
    const int64_t positions = config.integer("max_position_embeddings", 1, 1 << 24);
    write.integer("rope.scaling.original_context_length",
                  static_cast<int64_t>(settings.value("original_max_position_embeddings",
                                                      static_cast<double>(positions))));
    write.number("rope.scaling.yarn_beta_fast", settings.value("beta_fast", 32.0));
    write.number("rope.scaling.yarn_beta_slow", settings.value("beta_slow", 1.0));
  }
  return {};
}

void set_windows(Writer& write, const std::string& type, const DecoderSizes& sizes,
                 int64_t positions) {
  int64_t window = 0;
  for (int64_t one : sizes.windows) window = std::max(window, one);
  // llama.cpp reads Phi-3's window and does not keep to it, which only one below the positions
  // shows.
  const bool without_effect = window == 0 || window >= positions;
  if (type.starts_with("gemma") || (type == "phi3" && without_effect))
    write.integer("attention.sliding_window", window);
  if (type != "gemma2") return;
  write.number("attn_logit_softcapping", sizes.attention_cap);
  write.number("final_logit_softcapping", sizes.logit_cap);
}

bool close(double a, double b) {
  return std::fabs(a - b) <= kRounding * std::max(std::fabs(a), std::fabs(b));
}

bool same_rotation(const RotaryFrequencies& a, const RotaryFrequencies& b) {
  auto equal = [](const std::vector<double>& x, const std::vector<double>& y) {
    return std::equal(x.begin(), x.end(), y.begin(), y.end(), close);
  };
  // One set for texts of any length may be there twice.
  const std::vector<double>& long_a = a.inverse_long.empty() ? a.inverse : a.inverse_long;
  const std::vector<double>& long_b = b.inverse_long.empty() ? b.inverse : b.inverse_long;
  const bool switches = !equal(a.inverse, long_a);
  return equal(a.inverse, b.inverse) && equal(long_a, long_b) && close(a.scale, b.scale) &&
         (!switches || a.original_positions == b.original_positions);
}

// Without a list no layer has a window.
std::vector<int64_t> windows_of(const DecoderSizes& sizes) {
  if (!sizes.windows.empty()) return sizes.windows;
  return std::vector<int64_t>(static_cast<std::size_t>(sizes.layers), 0);
}

}  // namespace

std::vector<NamedGgufTensor> set_gguf_config(GgufMetadata& metadata, const ModelConfig& config,
                                             const DecoderSizes& sizes) {
  const std::string type = config.text("model_type");
  Writer write(metadata, gguf_architecture(type));
  const int64_t positions = sizes.positions > 0
                                ? sizes.positions
                                : config.integer_or("max_position_embeddings", 2048, 1, 1 << 24);
  write.integer("context_length", positions);
  write.integer("embedding_length", sizes.hidden);
  write.integer("block_count", sizes.layers);
  write.integer("feed_forward_length", sizes.intermediate);
  write.integer("attention.head_count", sizes.heads);
  if (type == "gpt2") {
    write.number("attention.layer_norm_epsilon", sizes.norm.eps);
    return {};
  }
  write.integer("attention.head_count_kv", sizes.kv_heads);
  write.integer("attention.key_length", sizes.head_dim);
  write.integer("attention.value_length", sizes.head_dim);
  write.number("attention.layer_norm_rms_epsilon", sizes.norm.eps);
  write.integer("vocab_size", sizes.vocabulary);
  set_windows(write, type, sizes, positions);
  return set_rope(write, config, sizes.rotations.front());
}

std::string first_difference(const DecoderSizes& a, const DecoderSizes& b) {
  struct Fact {
    const char* name;
    bool same;
  };
  const Fact facts[] = {
      {"sizes", a.vocabulary == b.vocabulary && a.hidden == b.hidden && a.layers == b.layers &&
                    a.intermediate == b.intermediate && a.positions == b.positions},
      {"attention heads",
       a.heads == b.heads && a.kv_heads == b.kv_heads && a.head_dim == b.head_dim},
      {"norms", a.norm.kind == b.norm.kind && close(a.norm.eps, b.norm.eps) &&
                    a.norm.offset == b.norm.offset},
      {"the activation", a.activation == b.activation && a.gated == b.gated},
      {"biases", a.attention_bias == b.attention_bias &&
                     a.attention_output_bias == b.attention_output_bias &&
                     a.feed_forward_bias == b.feed_forward_bias},
      {"the tied output projection", a.tied == b.tied},
      {"the scale of embeddings", close(a.embedding_scale, b.embedding_scale)},
      {"the scale of attention", close(a.attention_scale, b.attention_scale)},
      {"soft caps", close(a.attention_cap, b.attention_cap) && close(a.logit_cap, b.logit_cap)},
      {"windows", windows_of(a) == windows_of(b)},
      {"rotary positions", std::equal(a.rotations.begin(), a.rotations.end(), b.rotations.begin(),
                                      b.rotations.end(), same_rotation) &&
                               a.rotation_of_layer == b.rotation_of_layer}};
  for (const Fact& fact : facts) {
    if (!fact.same) return fact.name;
  }
  return "";
}

}  // namespace inlay
