#include "cli/adapter_view.h"

#include <fmt/core.h>

#include "adapters/adapter_statistics.h"
#include "adapters/storage.h"
#include "base/text_table.h"
#include "base/units.h"

namespace inlay::cli {
namespace {

constexpr const char* kNone = "–";

Json site_json(const SiteStatistics& here) {
  Json json{{"site", here.site->name},
            {"kind", site_kind_name(here.site->kind)},
            {"parameters", here.parameters},
            {"bytes", here.bytes}};
  if (!here.update.has_value()) return json;
  const UpdateStatistics& update = *here.update;
  json["norm"] = update.norm;
  json["relative_norm"] = update.relative;
  json["rank"] = update.rank;
  json["effective_rank"] = update.effective_rank;
  json["stable_rank"] = update.stable_rank;
  json["rank_used"] = update.used;
  json["amplification"] = update.amplification;
  json["spectrum"] = update.spectrum;
  return json;
}

Json overlap_json(Adapter& adapter, const std::string& other, const BaseFacts& base) {
  LoadedAdapter second = load_adapter(other, base);
  require(second.adapter != nullptr, ErrorKind::kUsage,
          "{} holds a head alone, and no adapter to compare with", other);
  Json sites = Json::array();
  for (const SiteOverlap& overlap : adapter_overlap(adapter, *second.adapter)) {
    sites.push_back({{"site", overlap.site->name},
                     {"cosine", overlap.cosine},
                     {"read", overlap.read},
                     {"written", overlap.written}});
  }
  require(!sites.empty(), ErrorKind::kUsage,
          "the adapter and {} change no weight in common, so there is no overlap to show", other);
  return {{"with", other}, {"sites", sites}};
}

std::string figure(const Json& site, const char* key, int digits) {
  if (!site.contains(key)) return kNone;
  return fmt::format("{:.{}f}", site.at(key).get<double>(), digits);
}

void print_sites(const Json& sites) {
  TextTable table({"site", "parameters", "bytes", "|dW|/|W|", "rank", "effective", "used", "stable",
                   "amplified"});
  for (const Json& site : sites) {
    bool told = site.contains("rank");
    table.add_row({site.at("site"), format_count(site.at("parameters").get<int64_t>()),
                   format_count(site.at("bytes").get<int64_t>()), figure(site, "relative_norm", 4),
                   told ? std::to_string(site.at("rank").get<int64_t>()) : kNone,
                   figure(site, "effective_rank", 2), figure(site, "rank_used", 2),
                   figure(site, "stable_rank", 2), figure(site, "amplification", 2)});
  }
  fmt::print("\n{}", table.text());
}

void print_overlap(const Json& overlap) {
  fmt::print("\noverlap with {}\n", overlap.at("with").get<std::string>());
  TextTable table({"site", "cosine of dW", "directions read", "directions written"});
  for (const Json& site : overlap.at("sites")) {
    table.add_row({site.at("site"), figure(site, "cosine", 4), figure(site, "read", 4),
                   figure(site, "written", 4)});
  }
  fmt::print("{}", table.text());
}

}  // namespace

Json adapter_view(const std::string& folder, const std::string& other, const Model& model) {
  LoadedAdapter loaded = load_adapter(folder, model.facts());
  Json tensors = Json::array();
  int64_t count = 0;
  auto add = [&](const std::string& name, const Tensor& value, const std::string& part) {
    std::vector<int64_t> shape(value.shape().sizes().begin(), value.shape().sizes().end());
    tensors.push_back(
        {{"name", name}, {"part", part}, {"shape", shape}, {"parameters", value.count()}});
    count += value.count();
  };
  Json json{{"folder", folder}, {"hash", adapter_hash(loaded.adapter.get(), loaded.head.get())}};
  if (loaded.adapter != nullptr) {
    json["method"] = loaded.adapter->info().name;
    json["config"] = loaded.adapter->config();
    for (const Adapter::Entry& entry : loaded.adapter->entries()) {
      add(entry.parameter.name(), entry.parameter.value(), entry.trained ? "adapter" : "fixed");
    }
    json["sites"] = Json::array();
    for (const SiteStatistics& here : adapter_statistics(*loaded.adapter))
      json["sites"].push_back(site_json(here));
    if (!other.empty()) json["overlap"] = overlap_json(*loaded.adapter, other, model.facts());
  }
  if (!loaded.label.task.empty()) json["task"] = loaded.label.task;
  if (loaded.head != nullptr) {
    json["classes"] = loaded.label.classes;
    json["pooling"] = head_input_name(loaded.head->layout().input);
    for (const Parameter& parameter : loaded.head->parameters())
      add(parameter.name(), parameter.value(), "head");
  }
  json["parameters"] = count;
  json["tensors"] = tensors;
  return json;
}

void print_adapter_view(const Json& view) {
  fmt::print("{}  {} parameters\nhash {}\n", view.value("method", "head only"),
             format_count(view.at("parameters").get<int64_t>()),
             view.at("hash").get<std::string>());
  if (view.contains("config")) fmt::print("config {}\n", view.at("config").dump());
  if (view.contains("task")) fmt::print("task {}\n", view.at("task").get<std::string>());
  if (view.contains("pooling")) {
    fmt::print("classes {}, head on {}\n", view.at("classes").dump(),
               view.at("pooling").get<std::string>());
  }
  TextTable table({"tensor", "part", "shape", "parameters"});
  for (const Json& tensor : view.at("tensors")) {
    table.add_row({tensor.at("name"), tensor.at("part"), tensor.at("shape").dump(),
                   format_count(tensor.at("parameters").get<int64_t>())});
  }
  fmt::print("\n{}", table.text());
  if (view.contains("sites") && !view.at("sites").empty()) print_sites(view.at("sites"));
  if (view.contains("overlap")) print_overlap(view.at("overlap"));
}

}  // namespace inlay::cli
