#include "adapters/exchange/convert.h"

#include <algorithm>
#include <array>
#include <utility>

#include "adapters/adapter_record.h"
#include "adapters/adapterhub_setup.h"
#include "adapters/exchange/formats.h"
#include "adapters/exchange/heads.h"
#include "base/files.h"
#include "base/staged_folder.h"

namespace inlay::exchange {
namespace {

namespace fs = std::filesystem;

constexpr auto kNames = std::to_array<std::pair<FileFormat, const char*>>({
    {FileFormat::kPeft, "peft"},
    {FileFormat::kAdapterHub, "adapterhub"},
    {FileFormat::kMlx, "mlx"},
    {FileFormat::kTorchtune, "torchtune"},
    {FileFormat::kGguf, "gguf"},
});

FileFormat format_of(const fs::path& folder, const Json& config) {
  if (config.contains("peft_type")) {
    bool other = config.at("peft_type") != "LORA";
    return !other && is_torchtune(open_peft_or_torchtune(folder)) ? FileFormat::kTorchtune
                                                                  : FileFormat::kPeft;
  }
  if (config.contains("config")) return FileFormat::kAdapterHub;
  if (config.contains("fine_tune_type") || config.contains("lora_parameters"))
    return FileFormat::kMlx;
  fail(ErrorKind::kInput,
       "{}: neither PEFT's or torchtune's (\"peft_type\"), AdapterHub's (\"config\") nor mlx-lm's "
       "(\"lora_parameters\"){}",
       (folder / "adapter_config.json").string(),
       config.contains(kRecordKey)
           ? "; it is of a method that only Inlay has, for which the other libraries have no files"
           : "");
}

LoraAdapter read(FileFormat format, const Source& source) {
  switch (format) {
    case FileFormat::kPeft:
      return read_peft(source);
    case FileFormat::kAdapterHub:
      return read_adapterhub(source);
    case FileFormat::kMlx:
      return read_mlx(source);
    case FileFormat::kTorchtune:
      return read_torchtune(source);
    case FileFormat::kGguf:
      break;
  }
  fail(ErrorKind::kInternal, "a file format that is not read");
}

void write(FileFormat format, LoraAdapter& adapter, const Target& target) {
  switch (format) {
    case FileFormat::kPeft:
      return write_peft(adapter, target);
    case FileFormat::kAdapterHub:
      return write_adapterhub(adapter, target);
    case FileFormat::kMlx:
      return write_mlx(adapter, target);
    case FileFormat::kTorchtune:
      return write_torchtune(adapter, target);
    case FileFormat::kGguf:
      return write_gguf_lora(adapter, target);
  }
}

// What remains is an adapter of the bare model, or of a language model.
void drop_head(LoraAdapter& adapter) {
  if (adapter.head.empty()) return;
  std::vector<std::string> names;
  names.reserve(adapter.head.size());
  for (const NamedTensor& tensor : adapter.head) names.push_back(tensor.name);
  adapter.notes.push_back("left out, as --without-head asks: " + listed(names));
  adapter.head.clear();
  adapter.peft = Json::object();
  adapter.bare = adapter.prefix != "model.";
  adapter.task_type.clear();
  adapter.label_numbers = nullptr;
  if (!adapter.record.is_object()) return;
  for (const char* key : {"task", "problem_type", "peft_type"}) adapter.record[key] = "";
  adapter.record["classes"] = Json::array();
}

void check_layers(const LoraAdapter& adapter, const BaseShape& base) {
  int64_t last = layer_range(adapter).second;
  require(base.layers == 0 || last < base.layers, ErrorKind::kInput,
          "the adapter has tensors for layer {}, but {} has {} layers; is that its base?", last,
          base.model_name, base.layers);
}

// Module names hold no dots.
std::string adapterhub_name(const LoraAdapter& adapter, const ConvertOptions& options,
                            const fs::path& source) {
  std::string name = !options.name.empty()   ? options.name
                     : !adapter.name.empty() ? adapter.name
                                             : folder_name(source);
  std::replace(name.begin(), name.end(), '.', '_');
  return name;
}

}  // namespace

const char* file_format_name(FileFormat format) {
  for (const auto& [known, name] : kNames) {
    if (known == format) return name;
  }
  fail(ErrorKind::kInternal, "an unknown file format");
}

std::string file_format_names() {
  std::string names;
  for (const auto& [format, name] : kNames) {
    if (!names.empty()) names += format == kNames.back().first ? " or " : ", ";
    names += name;
  }
  return names;
}

FileFormat file_format_from_name(const std::string& name) {
  for (const auto& [format, known] : kNames) {
    if (name == known) return format;
  }
  fail(ErrorKind::kUsage, "\"{}\" is no format; expected {}", name, file_format_names());
}

FileFormat detect_format(const fs::path& folder) {
  return format_of(folder, read_adapter_config(folder));
}

bool holds_lora(const fs::path& folder) {
  if (is_adapterhub_setup(folder)) return false;
  Json config = read_adapter_config(folder);
  if (config.contains("peft_type")) return config.at("peft_type") == "LORA";
  Json method = config.value("config", Json());
  if (method.is_object()) {
    return method.value("architecture", Json()) == "lora" &&
           method.value("composition_mode", Json()) != "scale";
  }
  bool only_ours = config.contains(kRecordKey) && !config.contains("fine_tune_type") &&
                   !config.contains("lora_parameters");
  return !only_ours;
}

Conversion convert_adapter(const fs::path& source, FileFormat to, const fs::path& out,
                           const ConvertOptions& options) {
  Source from{.folder = source,
              .config = read_adapter_config(source),
              .where = (source / "adapter_config.json").string(),
              .base = options.base};
  Conversion done{.from = format_of(source, from.config)};
  LoraAdapter adapter = read(done.from, from);
  read_own_head(source, adapter);
  check_layers(adapter, options.base);
  if (options.without_head) drop_head(adapter);
  if (adapter.base_name.empty()) adapter.base_name = options.base.model_name;
  StagedFolder staged(out, StagedFolder::kRefuse);
  write(to, adapter,
        {.folder = staged.path(),
         .base = options.base,
         .name = adapterhub_name(adapter, options, source),
         .rounding = options.allow_rounding ? Rounding::kAllow : Rounding::kRefuse});
  staged.place();
  done.modules = adapter.modules.size();
  done.parameters = adapter.parameters();
  done.dora = adapter.dora();
  done.rank = adapter.common_rank();
  done.scale = adapter.common_scale();
  done.notes = adapter.notes;
  return done;
}

}  // namespace inlay::exchange
