#include "adapters/adapterhub_parts.h"

#include <charconv>
#include <set>

#include "adapters/exchange/adapterhub_version.h"
#include "adapters/union_method.h"

namespace inlay {
namespace {

constexpr std::size_t kMostParts = 64;
constexpr const char* kUnion = "union";

Json fields_of_method(Method& method) {
  return fields_to_json([&](FieldVisitor& visit) { method.fields(visit); });
}

const AdapterHubForm& form_of(const MethodInfo& info) {
  if (info.adapterhub != nullptr) return *info.adapterhub;
  std::string known;
  for (const MethodInfo* method : all_methods()) {
    if (method->adapterhub != nullptr) known += (known.empty() ? "" : ", ") + method->name;
  }
  fail(ErrorKind::kInput,
       "AdapterHub has no counterpart of method {} that computes the same; it "
       "holds {}, and unions of them",
       info.name, known);
}

// What a part takes for itself: its architecture, of a bottleneck each of its places.
std::vector<std::string> claims_of(const AdapterHubPart& part) {
  const char* architecture = form_of(*part.info).architecture;
  if (architecture != nullptr) return {architecture};
  Json fields = fields_of_method(*part.method);
  std::vector<std::string> claims;
  if (fields.at("mh_adapter") == true) claims.emplace_back("bottleneck after attention");
  if (fields.at("output_adapter") == true)
    claims.emplace_back("bottleneck after the feed-forward part");
  return claims;
}

void check_union(const std::vector<AdapterHubPart>& parts) {
  std::set<std::string> seen;
  for (const AdapterHubPart& part : parts) {
    for (const std::string& claim : claims_of(part)) {
      require(seen.insert(claim).second, ErrorKind::kInput,
              "AdapterHub's unions hold each kind once; this one has {} twice", claim);
    }
  }
}

const AdapterHubPart* part_of(const std::vector<AdapterHubPart>& parts,
                              const Adapter::Entry& entry) {
  for (const AdapterHubPart& part : parts) {
    if (entry.part.starts_with(part.beginning)) return &part;
  }
  return nullptr;
}

const MethodInfo& method_with(const Json& config, const std::string& where) {
  Json architecture = config.value("architecture", Json());
  std::string known;
  for (const MethodInfo* info : all_methods()) {
    const AdapterHubForm* form = info->adapterhub;
    if (form == nullptr) continue;
    Json own = form->architecture == nullptr ? Json() : Json(form->architecture);
    if (own == architecture && (form->is == nullptr || form->is(config))) return *info;
    std::string name = own.dump();
    if (known.find(name) == std::string::npos) known += name + ", ";
  }
  fail(ErrorKind::kInput,
       "{}: \"architecture\" is {}; of AdapterHub's adapters {}and \"union\" are read", where,
       architecture.dump(-1, ' ', true).substr(0, 80), known);
}

ConfiguredMethod single_method(Json config, const std::string& version, const BaseFacts& base,
                               const std::string& where) {
  require(config.is_object(), ErrorKind::kInput, "{}: \"config\" is {}; expected an object", where,
          config.type_name());
  const MethodInfo& info = method_with(config, where);
  bool lora = config.value("architecture", Json()) == "lora";
  if (lora && exchange::before_1_1_0(version) && config.contains("r"))
    config["alpha"] = config.at("r");
  Json fields = fields_from_adapterhub(*info.adapterhub, config, base, where);
  ConfiguredMethod configured{&info, info.make()};
  fields_from_json([&](FieldVisitor& visit) { configured.method->fields(visit); }, fields, where);
  return configured;
}

}  // namespace

std::vector<AdapterHubPart> adapterhub_parts(const MethodInfo& info, Method& method,
                                             const std::string& beginning) {
  const std::vector<UnionPart>* together = union_parts(method);
  if (together == nullptr) {
    form_of(info);
    return {{&info, &method, beginning}};
  }
  std::vector<AdapterHubPart> parts;
  parts.reserve(together->size());
  for (const UnionPart& part : *together)
    parts.push_back({part.method.info, part.method.method.get(), beginning + part.name + "."});
  check_union(parts);
  return parts;
}

Json adapterhub_config(const std::vector<AdapterHubPart>& parts, const BaseFacts& base) {
  Json configs = Json::array();
  for (const AdapterHubPart& part : parts) {
    configs.push_back(fields_to_adapterhub(form_of(*part.info), fields_of_method(*part.method),
                                           base, part.method->select(base)));
  }
  if (configs.size() == 1) return configs.front();
  return {{"architecture", kUnion}, {"configs", configs}};
}

AdapterHubKey adapterhub_key(const std::vector<AdapterHubPart>& parts, const BaseFacts& base,
                             const std::string& name, const Adapter::Entry& entry) {
  const AdapterHubPart* part = part_of(parts, entry);
  ensure(part != nullptr, "{} is of no method of the adapter", entry.parameter.name());
  AdapterHubTensor tensor = form_of(*part->info)
                                .tensor(base, entry.site, entry.part.substr(part->beginning.size()),
                                        entry.parameter.shape());
  return {fmt::format("{}{}.{}.{}", base.prefix, tensor.module, name, tensor.part), tensor.shape};
}

ConfiguredMethod method_from_adapterhub(const Json& config, const std::string& version,
                                        const BaseFacts& base, const std::string& where) {
  bool together = config.is_object() && config.value("architecture", Json()) == kUnion;
  if (!together) return single_method(config, version, base, where);
  Json configs = config.value("configs", Json());
  require(configs.is_array() && configs.size() >= 2 && configs.size() <= kMostParts,
          ErrorKind::kInput, "{}: \"configs\" of a union is {}; expected a list of 2 to {}", where,
          configs.dump(-1, ' ', true).substr(0, 80), kMostParts);
  std::vector<std::string> texts;
  texts.reserve(configs.size());
  for (const Json& one : configs)
    texts.push_back(method_text(single_method(one, version, base, where)));
  return {&find_method(kUnion), make_union(std::move(texts))};
}

}  // namespace inlay
