#include "adapters/adapterhub_lora.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "adapters/exchange/adapterhub_places.h"
#include "adapters/exchange/lora_adapter.h"
#include "adapters/exchange/lora_terms.h"
#include "adapters/exchange/module_names.h"
#include "base/error.h"

namespace inlay {
namespace {

using exchange::AdapterHubPlace;
using exchange::listed;

constexpr std::pair<AdapterHubPlace, const char*> kMatrices[] = {
    {AdapterHubPlace::kQuery, "q"}, {AdapterHubPlace::kKey, "k"}, {AdapterHubPlace::kValue, "v"}};

std::optional<AdapterHubPlace> place_of(const BaseFacts& base, const Site& site) {
  auto at = exchange::layer_of(site.name);
  if (site.kind != SiteKind::kLinear || !at.has_value()) return std::nullopt;
  return exchange::adapterhub_place(base.model_type, at->rest);
}

// Which places are adapted, in which layers: every layer that is not left out has them all.
void write_places(const BaseFacts& base, const std::vector<const Site*>& sites, Json& config) {
  std::set<AdapterHubPlace> places;
  std::set<int> layers;
  std::vector<std::string> without_place;
  for (const Site* site : sites) {
    auto place = place_of(base, *site);
    if (!place.has_value()) without_place.push_back(site->name);
    if (place.has_value()) places.insert(*place);
    layers.insert(site->layer);
  }
  require(without_place.empty(), ErrorKind::kInput,
          "AdapterHub's LoRA adapts query, key, value and two layers of the feed-forward part; it "
          "has no place for {}",
          listed(without_place));
  require(places.size() * layers.size() == sites.size(), ErrorKind::kInput,
          "AdapterHub's LoRA adapts the same layers everywhere; this adapter has {} of {}: {} "
          "places in {} layers",
          sites.size(), places.size() * layers.size(), places.size(), layers.size());
  Json matrices = Json::array(), without = Json::array();
  for (const auto& [place, name] : kMatrices) {
    if (places.contains(place)) matrices.push_back(name);
  }
  for (int layer = 0; layer < base.layers; ++layer) {
    if (!layers.contains(layer)) without.push_back(layer);
  }
  config["selfattn_lora"] = !matrices.empty();
  config["attn_matrices"] = matrices;
  config["intermediate_lora"] = places.contains(AdapterHubPlace::kIntermediate);
  config["output_lora"] = places.contains(AdapterHubPlace::kOutput);
  config["leave_out"] = without;
}

std::set<AdapterHubPlace> places_in(const Json& config, const std::string& where) {
  std::set<AdapterHubPlace> places;
  if (json_get_or<bool>(config, "selfattn_lora", true, where)) {
    for (const Json& matrix : config.value("attn_matrices", Json::array({"q", "v"}))) {
      const auto* known = std::find_if(std::begin(kMatrices), std::end(kMatrices),
                                       [&](const auto& one) { return matrix == one.second; });
      require(known != std::end(kMatrices), ErrorKind::kInput,
              "{}: \"attn_matrices\" has {}; expected q, k or v", where,
              matrix.dump(-1, ' ', true).substr(0, 80));
      places.insert(known->first);
    }
  }
  if (json_get_or<bool>(config, "intermediate_lora", false, where))
    places.insert(AdapterHubPlace::kIntermediate);
  if (json_get_or<bool>(config, "output_lora", false, where))
    places.insert(AdapterHubPlace::kOutput);
  return places;
}

// The layers that the configuration adapts.
std::vector<const Site*> sites_in(const Json& config, const BaseFacts& base,
                                  const std::string& where) {
  require(!exchange::adapterhub_class(base.model_type).empty(), ErrorKind::kInput,
          "{}: where AdapterHub puts LoRA in models of type {} is not known here", where,
          base.model_type);
  std::set<AdapterHubPlace> places = places_in(config, where);
  std::vector<std::string> without = layer_names(config, "leave_out", where);
  std::vector<const Site*> sites;
  for (const Site* site : base.sites) {
    auto place = place_of(base, *site);
    bool left_out =
        std::find(without.begin(), without.end(), std::to_string(site->layer)) != without.end();
    if (place.has_value() && places.contains(*place) && !left_out) sites.push_back(site);
  }
  require(!sites.empty(), ErrorKind::kInput,
          "{}: the configuration adapts no layer of this {} base; see selfattn_lora, "
          "attn_matrices, intermediate_lora, output_lora and leave_out",
          where, base.model_type);
  return sites;
}

void read_places(const Json& config, const BaseFacts& base, const std::string& where,
                 Json& fields) {
  Json names = Json::array();
  for (const Site* site : sites_in(config, base, where)) names.push_back(site->name);
  fields["target_modules"] = names;
}

std::vector<std::string> biased(const std::vector<const Site*>& sites) {
  std::vector<std::string> names;
  for (const Site* site : sites) {
    if (site->bias.defined()) names.push_back(site->name);
  }
  return names;
}

void check_dora(double alpha, double rank, const std::vector<const Site*>& sites,
                const std::string& where) {
  require(alpha == rank, ErrorKind::kInput,
          "{}: DoRA with alpha {} and r {} divides by a norm without alpha in AdapterHub, and by "
          "one with it elsewhere; only alpha = r is the same",
          where, alpha, rank);
  std::vector<std::string> names = biased(sites);
  require(names.empty(), ErrorKind::kInput,
          "{}: DoRA in AdapterHub also rescales the base's bias, which DoRA elsewhere does not: {}",
          where, listed(names));
}

void refuse(const char* field, const std::string& value, const char* why) {
  fail(ErrorKind::kInput, "AdapterHub's LoRA has no place for {}={}: {}", field, value, why);
}

void write_lora(const Json& fields, const BaseFacts& base, const std::vector<const Site*>& sites,
                Json& config) {
  for (const char* key : {"rank_pattern", "alpha_pattern"}) {
    if (!fields.at(key).empty())
      refuse(key, fields.at(key).dump(),
             "it has one rank and one alpha; save the adapter as PEFT's and convert that, which "
             "pads ranks");
  }
  if (fields.at("lora_bias") == true) refuse("lora_bias", "true", "it has no bias of B");
  write_places(base, sites, config);
  auto rank = fields.at("r").get<int64_t>();
  auto alpha = fields.at("alpha").get<double>();
  if (fields.at("use_rslora") == true) {
    double scale = alpha / std::sqrt(static_cast<double>(rank));
    alpha = exchange::alpha_for(scale, rank);
    if (alpha / static_cast<double>(rank) != scale)
      refuse("use_rslora", "true", "no alpha gives alpha / r = alpha / sqrt(r) exactly");
  }
  config["alpha"] = plain_number(alpha);
  if (fields.at("use_dora") == true)
    check_dora(alpha, static_cast<double>(rank), sites, "AdapterHub's LoRA");
}

void read_lora(const Json& config, const BaseFacts& base, const std::string& where, Json& fields) {
  read_places(config, base, where, fields);
  fields["alpha"] = json_get_or<double>(config, "alpha", 8, where);
  if (config.value("use_dora", Json()) != true) return;
  check_dora(fields.at("alpha").get<double>(), json_get_or<double>(config, "r", 8, where),
             sites_in(config, base, where), where);
}

AdapterHubTensor lora_tensor(const BaseFacts&, const Site* site, const std::string& part,
                             const Shape& shape) {
  std::string module = site->name + ".loras";
  if (part == "lora_magnitude_vector") return {module, "m.weight", {shape[0], 1}};
  if (part.starts_with("gate.")) return {module, part, shape};
  bool a = part.starts_with("lora_A");
  return {module, a ? "lora_A" : "lora_B", shape};
}

bool adds(const Json& config) { return config.value("composition_mode", Json("add")) != "scale"; }
bool scales(const Json& config) { return !adds(config); }

// (IA)^3 as the paper and PEFT have it reads l in the feed-forward part after the activation.
void write_ia3(const Json& fields, const BaseFacts& base, const std::vector<const Site*>& sites,
               Json& config) {
  auto inner = fields.at("feedforward_modules").get<std::vector<std::string>>();
  bool by_role = fields.at("target_modules").empty();
  std::vector<std::string> refused;
  for (const Site* site : sites) {
    auto place = place_of(base, *site);
    bool attention = place.has_value() && *place != AdapterHubPlace::kIntermediate &&
                     *place != AdapterHubPlace::kOutput;
    bool scales_input = by_role && site->role == SiteRole::kDown;
    if (!attention || scales_input) refused.push_back(site->name);
  }
  require(refused.empty() && inner.empty(), ErrorKind::kInput,
          "AdapterHub's IA3 holds vectors of query, key and value. In the feed-forward part it "
          "scales before the activation, this adapter after it, so the two are different "
          "functions: {}. ia3[target_modules=key+value] trains one that carries over",
          listed(refused.empty() ? inner : refused));
  write_places(base, sites, config);
}

AdapterHubTensor ia3_tensor(const BaseFacts&, const Site* site, const std::string&,
                            const Shape& shape) {
  return {site->name + ".loras", "lora_B", shape};
}

}  // namespace

const AdapterHubForm& lora_adapterhub_form() {
  static const AdapterHubForm form{
      .architecture = "lora",
      .keys = {{"alpha", 8, FormKey::kCustom},
               {"attn_matrices", Json::array({"q", "v"}), FormKey::kCustom},
               {"composition_mode", "add", FormKey::kFixed},
               {"dropout", 0.0, "dropout"},
               {"dtype", nullptr, FormKey::kNoMatter},
               {"init_weights", "lora", FormKey::kNoMatter},
               {"init_weights_seed", nullptr, FormKey::kNoMatter},
               {"intermediate_lora", false, FormKey::kCustom},
               {"leave_out", Json::array(), FormKey::kCustom},
               {"output_lora", false, FormKey::kCustom},
               {"r", 8, "r"},
               {"selfattn_lora", true, FormKey::kCustom},
               {"use_dora", false, "use_dora"},
               {"use_gating", false, "use_gating"},
               {"vera_b", nullptr, FormKey::kFixed},
               {"vera_d", nullptr, FormKey::kFixed}},
      .is = adds,
      .write = write_lora,
      .read = read_lora,
      .tensor = lora_tensor};
  return form;
}

const AdapterHubForm& ia3_adapterhub_form() {
  static const AdapterHubForm form{
      .architecture = "lora",
      .keys = {{"alpha", 1, FormKey::kFixed},
               {"attn_matrices", Json::array({"k", "v"}), FormKey::kCustom},
               {"composition_mode", "scale", FormKey::kCustom},
               {"dropout", 0.0, FormKey::kFixed},
               {"dtype", nullptr, FormKey::kNoMatter},
               {"init_weights", "ia3", FormKey::kNoMatter},
               {"init_weights_seed", nullptr, FormKey::kNoMatter},
               {"intermediate_lora", false, FormKey::kFixed},
               {"leave_out", Json::array(), FormKey::kCustom},
               {"output_lora", false, FormKey::kFixed},
               {"r", 1, FormKey::kFixed},
               {"selfattn_lora", true, FormKey::kCustom},
               {"use_dora", false, FormKey::kFixed},
               {"use_gating", false, FormKey::kFixed},
               {"vera_b", nullptr, FormKey::kFixed},
               {"vera_d", nullptr, FormKey::kFixed}},
      .is = scales,
      .write = write_ia3,
      .read = read_places,
      .tensor = ia3_tensor};
  return form;
}

}  // namespace inlay
