#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "adapters/method.h"
#include "adapters/targets.h"
#include "check/parts.h"

namespace inlay {
namespace {

// "attention.self.query" of "encoder.layer.3.attention.self.query".
std::string kind_of(const Site& site) {
  std::string number = "." + std::to_string(site.layer) + ".";
  std::size_t at = site.name.find(number);
  return at == std::string::npos ? "layer output" : site.name.substr(at + number.size());
}

// C-2: which kinds of site are adapted in which layers, and the gaps.
Finding coverage(const BaseFacts& base, const std::vector<const Site*>& sites) {
  std::map<std::string, std::set<int>> layers;
  int64_t outside = 0;
  for (const Site* site : sites) {
    if (site->layer < 0) {
      ++outside;
    } else {
      layers[kind_of(*site)].insert(site->layer);
    }
  }
  Json grid = Json::object();
  std::string gaps;
  for (const auto& [kind, present] : layers) {
    std::string row;
    for (int layer = 0; layer < base.layers; ++layer) row += present.contains(layer) ? 'x' : '.';
    grid[kind] = row;
    if (static_cast<int64_t>(present.size()) == base.layers) continue;
    gaps += fmt::format("{}{} in {}", gaps.empty() ? "" : "; ", kind, row);
  }
  Finding finding{"C-2",
                  Severity::kInfo,
                  fmt::format("{} kinds of site in {} layers, {} sites outside them", layers.size(),
                              base.layers, outside),
                  {{"layers", base.layers}, {"grid", grid}, {"outside", outside}}};
  if (!gaps.empty()) {
    finding.severity = Severity::kWarning;
    finding.text += fmt::format("; not in every layer (x: adapted): {}", gaps);
  }
  return finding;
}

// C-1: how many modules each named target matches.
Finding matches(const ConfiguredMethod& configured, const std::vector<const Site*>& sites) {
  Json config = fields_to_json([&](FieldVisitor& visit) { configured.method->fields(visit); });
  Json counts = Json::object();
  std::string text = fmt::format("{} sites are adapted", sites.size());
  for (const Json& target : config.value("target_modules", Json::array())) {
    auto name = target.get<std::string>();
    if (name == "all-linear") continue;
    auto count = std::count_if(sites.begin(), sites.end(),
                               [&](const Site* site) { return matches_target(site->name, name); });
    counts[name] = count;
    text += fmt::format(", {} by \"{}\"", count, name);
  }
  return {"C-1", Severity::kInfo, text, {{"sites", sites.size()}, {"matches", counts}}};
}

// C-5: which methods go with this base, and why the others do not.
Finding architecture(const BaseFacts& base) {
  Json matrix = Json::object();
  std::string without;
  for (const MethodInfo* info : all_methods()) {
    try {
      parse_method(info->example).method->select(base);
      matrix[info->name] = true;
    } catch (const Error& error) {
      matrix[info->name] = error.what();
      without += (without.empty() ? "" : ", ") + info->name;
    }
  }
  std::string text = fmt::format("{} of {} methods go with this {} base",
                                 std::count(matrix.begin(), matrix.end(), Json(true)),
                                 matrix.size(), base.model_type);
  if (!without.empty()) text += fmt::format("; with their examples' settings not: {}", without);
  return {"C-5", Severity::kInfo, text, {{"methods", matrix}}};
}

}  // namespace

bool check_sites(const CheckSubject& subject, Findings& findings) {
  const BaseFacts& base = subject.model.facts();
  findings.push_back(
      {"C-4",
       Severity::kInfo,
       fmt::format("base {} with root hash {}", base.model_type, base.root_hash.substr(0, 12)),
       {{"model_type", base.model_type},
        {"root_hash", base.root_hash},
        {"vocabulary", base.vocabulary}}});
  if (subject.thorough) findings.push_back(architecture(base));
  try {
    ConfiguredMethod configured = parse_method(subject.method);
    std::vector<const Site*> sites = configured.method->select(base);
    findings.push_back(matches(configured, sites));
    if (!sites.empty()) findings.push_back(coverage(base, sites));
  } catch (const Error& error) {
    findings.push_back({"C-1", Severity::kError, error.what()});
    return false;
  }
  return true;
}

}  // namespace inlay
