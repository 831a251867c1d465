#include "adapters/adapterhub_prompt.h"

#include "base/error.h"

namespace inlay {
namespace {

constexpr const char* kPool = "prefix_tuning.prefix_tunings";
constexpr const char* kPoolBelowLayers = ".prefix_tuning.pool.prefix_tunings.";

void write_prefix(const Json& fields, const BaseFacts&, const std::vector<const Site*>&,
                  Json& config) {
  require(
      fields.at("shift_positions") == false, ErrorKind::kInput,
      "AdapterHub's prefixes leave the positions of a text alone; with shift_positions=true, as "
      "PEFT has it, they begin behind the prefix");
  config["flat"] = !fields.at("prefix_projection").get<bool>();
  config["leave_out"] = layer_numbers(fields.at("leave_out"));
  bool apart = fields.at("use_gating") == true && fields.at("shared_gating") == false;
  require(!apart, ErrorKind::kInput,
          "prefix_tuning with shared_gating=false, a gate each for keys and values, is not "
          "written for AdapterHub; train with shared_gating=true");
}

void read_prefix(const Json& config, const BaseFacts&, const std::string& where, Json& fields) {
  fields["prefix_projection"] = !json_get_or<bool>(config, "flat", false, where);
  fields["leave_out"] = layer_names(config, "leave_out", where);
  bool apart = fields.at("use_gating") == true && fields.at("shared_gating") == false;
  require(!apart, ErrorKind::kInput,
          "{}: \"shared_gating\" is false, a gate each for keys and values, which is not supported",
          where);
}

AdapterHubTensor prefix_tensor(const BaseFacts& base, const Site* site, const std::string& part,
                               const Shape& shape) {
  if (site != nullptr) {
    std::string gate = part.substr(std::string("prefix_gate.").size());
    return {site->name + ".prefix_tuning.prefix_gates", gate, shape};
  }
  // Only DistilBERT's attention goes by another name.
  std::string place = base.model_type == "distilbert" ? "self." : "self_prefix.";
  if (part == "prompt_embeddings") return {kPool, place + "control_trans", {shape.count()}};
  return {kPool, place + part, shape};
}

void write_prompt(const Json& fields, const BaseFacts&, const std::vector<const Site*>&, Json&) {
  require(fields.at("placement") == "after_embeddings", ErrorKind::kInput,
          "AdapterHub sets prompts behind the embeddings and leaves the positions of the text as "
          "they are; this one stands before them (placement={}), which is another function. "
          "prompt_tuning[placement=after_embeddings] trains one that carries over",
          fields.at("placement").get<std::string>());
}

void read_prompt(const Json&, const BaseFacts&, const std::string&, Json& fields) {
  fields["placement"] = "after_embeddings";
}

AdapterHubTensor prompt_tensor(const BaseFacts&, const Site*, const std::string&,
                               const Shape& shape) {
  return {"prompt_tuning.prompt_tunings", "prompt_embedding.weight", shape};
}

}  // namespace

const AdapterHubForm& prefix_tuning_adapterhub_form() {
  static const AdapterHubForm form{.architecture = "prefix_tuning",
                                   .keys = {{"bottleneck_size", 512, "encoder_hidden_size"},
                                            {"cross_prefix", true, FormKey::kNoMatter},
                                            {"dropout", 0.0, "dropout"},
                                            {"dtype", nullptr, FormKey::kUnwritten},
                                            {"encoder_prefix", true, FormKey::kNoMatter},
                                            {"flat", false, FormKey::kCustom},
                                            {"init_weights_seed", nullptr, FormKey::kUnwritten},
                                            {"leave_out", Json::array(), FormKey::kCustom},
                                            {"non_linearity", "tanh", FormKey::kFixed},
                                            {"prefix_length", 30, "num_virtual_tokens"},
                                            {"shared_gating", true, "shared_gating"},
                                            {"use_gating", false, "use_gating"}},
                                   .write = write_prefix,
                                   .read = read_prefix,
                                   .tensor = prefix_tensor};
  return form;
}

const AdapterHubForm& prompt_tuning_adapterhub_form() {
  static const AdapterHubForm form{.architecture = "prompt_tuning",
                                   .keys = {{"combine", "prefix", "combine"},
                                            {"dtype", nullptr, FormKey::kUnwritten},
                                            {"init_weights_seed", nullptr, FormKey::kUnwritten},
                                            {"prompt_init", "random_uniform", FormKey::kNoMatter},
                                            {"prompt_init_text", nullptr, FormKey::kNoMatter},
                                            {"prompt_length", 10, "num_virtual_tokens"},
                                            {"random_uniform_scale", 0.5, FormKey::kUnwritten}},
                                   .write = write_prompt,
                                   .read = read_prompt,
                                   .tensor = prompt_tensor};
  return form;
}

std::string prefix_pool_key(const std::string& key, const BaseFacts& base) {
  std::size_t at = key.find(kPoolBelowLayers);
  if (at == std::string::npos) return "";
  return base.prefix + kPool + "." + key.substr(at + std::string(kPoolBelowLayers).size());
}

}  // namespace inlay
