#include "adapters/adapterhub_setup.h"

#include <algorithm>

#include "adapters/adapter_record.h"
#include "adapters/adapterhub_files.h"
#include "adapters/composition.h"
#include "adapters/foreign_keys.h"
#include "adapters/union_method.h"
#include "base/files.h"
#include "formats/safetensors.h"

namespace inlay {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxSetupConfigBytes = 16u << 20;
constexpr const char* kFusionConfig = "adapter_fusion_config.json";
constexpr const char* kFusionSafetensors = "model_adapter_fusion.safetensors";
constexpr const char* kFusionTorch = "pytorch_model_adapter_fusion.bin";

// The fusion of adapters that we train, AdapterHub's "dynamic".
const std::vector<ForeignKey>& fusion_keys() {
  using enum ForeignKey::Meaning;
  static const std::vector<ForeignKey> keys = {{"dropout_prob", nullptr, kFixed},
                                               {"key", true, kFixed},
                                               {"query", true, kFixed},
                                               {"query_before_ln", false, kFixed},
                                               {"regularization", true, kNoMatter},
                                               {"residual_before", false, kFixed},
                                               {"temperature", false, kFixed},
                                               {"value", true, kFixed},
                                               {"value_before_softmax", true, kFixed},
                                               {"value_initialized", true, kNoMatter}};
  return keys;
}

struct Leaf {
  const CompositionNode* node;
  ConfiguredMethod method;
  std::vector<AdapterHubPart> parts;
};

struct Fusion {
  std::string name;       // AdapterHub's: "a,b"
  std::string beginning;  // of its tensors' parts: "fusion."
};

// Fusions in the order in which a composition numbers them.
void find_fusions(const CompositionNode& node, std::vector<Fusion>& fusions) {
  if (node.what == Composing::kFuse) {
    Fusion fusion{.beginning =
                      fusions.empty() ? "fusion." : fmt::format("fusion_{}.", fusions.size() + 1)};
    for (const CompositionNode& child : node.children)
      fusion.name += (fusion.name.empty() ? "" : ",") + child.name;
    fusions.push_back(fusion);
  }
  for (const CompositionNode& child : node.children) find_fusions(child, fusions);
}

// What AdapterHub computes as we do: stacks of adapters or fusions, and fusions of adapters.
void check_tree(const CompositionNode& node, int depth, const std::string& where) {
  bool leaf = node.what == Composing::kLeaf;
  bool fits =
      leaf || node.what == Composing::kFuse || (node.what == Composing::kStack && depth == 0);
  require(fits, ErrorKind::kInput,
          "{}: {} is not what AdapterHub computes, or not kept by it, in the same way; stack(...) "
          "and fuse(...) of bottlenecks are, and a stack of those",
          where, composition_text(node));
  for (const CompositionNode& child : node.children) {
    bool named = node.what != Composing::kFuse || child.what == Composing::kLeaf;
    require(named, ErrorKind::kInput, "{}: fuse takes adapters by name in AdapterHub, not {}",
            where, composition_text(child));
    check_tree(child, depth + 1, where);
  }
}

Json setup_fields(Method& method) {
  return fields_to_json([&](FieldVisitor& visit) { method.fields(visit); });
}

// Only bottlenecks: AdapterHub chains LoRA's updates in a stack and takes the first of the others.
std::vector<Leaf> leaves_with_methods(const CompositionNode& node, const std::string& where) {
  std::vector<const CompositionNode*> nodes = leaves_of(node);
  std::vector<Leaf> leaves;
  leaves.reserve(nodes.size());
  for (const CompositionNode* leaf : nodes) {
    ConfiguredMethod method = parse_method(leaf->method);
    std::vector<AdapterHubPart> parts =
        adapterhub_parts(*method.info, *method.method, leaf->name + ".");
    bool bottleneck = parts.size() == 1 && parts.front().info->adapterhub->architecture == nullptr;
    require(bottleneck, ErrorKind::kInput,
            "{}: {} is of method {}; compositions of bottlenecks alone are the same in AdapterHub",
            where, leaf->name, method.info->name);
    leaves.push_back({leaf, std::move(method), std::move(parts)});
  }
  return leaves;
}

// AdapterHub's fusion reads what its last adapter reads, ours what the first one does.
void check_alike(const std::vector<Leaf>& leaves, const std::vector<Fusion>& fusions,
                 const std::string& where) {
  if (fusions.empty()) return;
  for (const char* key : {"original_ln_before", "residual_before_ln", "is_parallel"}) {
    Json first = setup_fields(*leaves.front().method.method).at(key);
    for (const Leaf& leaf : leaves) {
      require(
          setup_fields(*leaf.method.method).at(key) == first, ErrorKind::kInput,
          "{}: {} differs between {} and {}, which are fused; AdapterHub goes by the last, this "
          "program by the first",
          where, key, leaves.front().node->name, leaf.node->name);
    }
  }
}

// "bert.encoder.layer.0.output.adapter_fusion_layer.a,b.query.weight"
std::string fusion_key(const BaseFacts& base, const Fusion& fusion, const Adapter::Entry& entry) {
  std::string module = entry.site->adapterhub;
  ensure(module.ends_with("adapters"), "{} holds no bottlenecks", module);
  module.replace(module.size() - std::string("adapters").size(), std::string::npos,
                 "adapter_fusion_layer");
  return fmt::format("{}{}.{}.{}", base.prefix, module, fusion.name,
                     entry.part.substr(fusion.beginning.size()));
}

void write_fusion(const fs::path& folder, const Fusion& fusion, const Adapter& adapter,
                  const BaseFacts& base) {
  std::vector<NamedTensor> tensors;
  for (const Adapter::Entry& entry : adapter.entries()) {
    if (entry.part.starts_with(fusion.beginning))
      tensors.push_back({fusion_key(base, fusion, entry), entry.parameter.value()});
  }
  write_both_forms(folder, kFusionSafetensors, kFusionTorch, tensors);
  Json config = adapterhub_about(base, fusion.name);
  config["config"] = foreign_defaults(fusion_keys());
  write_file_atomically(folder / kFusionConfig, config.dump(2, ' ', true));
}

void read_fusion(const fs::path& folder, const Fusion& fusion, Adapter& adapter,
                 const BaseFacts& base) {
  std::string where = (folder / kFusionConfig).string();
  require(fs::exists(folder / kFusionConfig), ErrorKind::kInput,
          "{}: no {}; expected the fusion of {}", folder.string(), kFusionConfig, fusion.name);
  AdapterHubConfig about =
      adapterhub_config_of(read_json(folder / kFusionConfig, kMaxSetupConfigBytes), base, where);
  require(about.name == fusion.name, ErrorKind::kInput, "{}: \"name\" is \"{}\"; expected \"{}\"",
          where, about.name, fusion.name);
  require(about.method.is_object(), ErrorKind::kInput, "{}: \"config\" is {}; expected an object",
          where, about.method.type_name());
  check_foreign_keys(about.method, fusion_keys(), where);
  StrictTensors tensors = open_either_form(folder, kFusionSafetensors, kFusionTorch);
  for (Adapter::Entry& entry : adapter.entries()) {
    if (entry.part.starts_with(fusion.beginning))
      tensors.fill(fusion_key(base, fusion, entry), entry.parameter);
  }
  tensors.finish();
}

Json read_setup(const fs::path& folder) {
  Json setup = read_json(folder / kSetupFile, kMaxSetupConfigBytes);
  require(setup.is_object() && setup.contains("adapter_setup"), ErrorKind::kInput,
          "{}: no \"adapter_setup\"; expected AdapterHub's file of a composition",
          (folder / kSetupFile).string());
  return setup;
}

AdapterHubConfig config_of_leaf(const fs::path& folder, const BaseFacts& base) {
  std::string where = (folder / "adapter_config.json").string();
  Json config = read_adapter_config(folder);
  if (config.contains(kRecordKey)) check_base(record_from_config(config, where), base, where);
  return adapterhub_config_of(config, base, where);
}

// Gives the leaves the methods of their folders, which AdapterHub trained before.
void name_methods(CompositionNode& node, const fs::path& folder, const BaseFacts& base) {
  for (CompositionNode& child : node.children) name_methods(child, folder, base);
  if (node.what != Composing::kLeaf) return;
  std::string where = (folder / node.name / "adapter_config.json").string();
  AdapterHubConfig about = config_of_leaf(folder / node.name, base);
  ConfiguredMethod method = method_from_adapterhub(about.method, about.version, base, where);
  require(union_parts(*method.method) == nullptr, ErrorKind::kInput,
          "{}: a union inside a composition is not supported", where);
  node.method = method_text(method);
  node.finished = true;
}

}  // namespace

void write_adapterhub_setup(const fs::path& folder, const AdapterBundle& bundle,
                            const BaseFacts& base) {
  const Adapter& adapter = *bundle.adapter;
  const CompositionNode& node = *composition_of(adapter);
  std::string where = adapter.name();
  check_tree(node, 0, where);
  std::vector<Leaf> leaves = leaves_with_methods(node, where);
  std::vector<Fusion> fusions;
  find_fusions(node, fusions);
  check_alike(leaves, fusions, where);
  for (const Leaf& leaf : leaves) {
    fs::create_directories(folder / leaf.node->name);
    AdapterRecord record{
        .name = leaf.node->name, .method = leaf.node->method, .base_root_hash = base.root_hash};
    write_adapterhub_files(folder / leaf.node->name, leaf.parts, adapter, base, record);
  }
  for (const Fusion& fusion : fusions) {
    fs::create_directories(folder / fusion.name);
    write_fusion(folder / fusion.name, fusion, adapter, base);
  }
  write_head_beside(folder, bundle, base, adapterhub_name(adapter.name()));
  Json setup{{"adapter_setup", adapterhub_setup(node)},
             {"head_setup", nullptr},
             {"version", kAdapterHubVersion},
             {kRecordKey, record_to_json(record_of(bundle, base))}};
  write_file_atomically(folder / kSetupFile, setup.dump(2, ' ', true));
}

bool is_adapterhub_setup(const fs::path& folder) {
  return fs::exists(folder / kSetupFile) && !fs::exists(folder / "adapter_config.json");
}

LoadedAdapter read_adapterhub_setup(const fs::path& folder, const BaseFacts& base) {
  std::string where = (folder / kSetupFile).string();
  Json setup = read_setup(folder);
  AdapterRecord record{.name = folder_name(folder)};
  bool ours = setup.contains(kRecordKey);
  if (ours) {
    record = record_from_config(setup, where);
    check_base(record, base, where);
  }
  CompositionNode node = composition_from_adapterhub(setup.at("adapter_setup"), where);
  require(node.children.size() > 1, ErrorKind::kInput,
          "{}: \"adapter_setup\" is of one adapter; load its own folder", where);
  check_tree(node, 0, where);
  name_methods(node, folder, base);
  std::vector<Leaf> leaves = leaves_with_methods(node, where);
  std::vector<Fusion> fusions;
  find_fusions(node, fusions);
  check_alike(leaves, fusions, where);

  LoadedAdapter loaded;
  ConfiguredMethod method{&find_method("composition"), make_composition(node)};
  loaded.adapter = Adapter::create(record.name, std::move(method), base, 0);
  for (const Leaf& leaf : leaves) {
    fs::path place = folder / leaf.node->name;
    read_adapterhub_tensors(place, leaf.parts, *loaded.adapter, base,
                            config_of_leaf(place, base).name);
  }
  for (const Fusion& fusion : fusions)
    read_fusion(folder / fusion.name, fusion, *loaded.adapter, base);
  read_head_beside(folder, base, loaded);
  if (ours) loaded.label = record.label;
  return loaded;
}

HeadLabel recorded_setup_label(const fs::path& folder) {
  Json setup = read_setup(folder);
  if (!setup.contains(kRecordKey)) return {};
  return record_from_config(setup, (folder / kSetupFile).string()).label;
}

}  // namespace inlay
