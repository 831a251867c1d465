#include "train/registry_entries.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <chrono>
#include <ctime>

#include "adapters/adapter_record.h"
#include "base/error.h"
#include "eval/task.h"
#include "formats/safetensors.h"
#include "formats/torch_zip.h"
#include "runs/manifest.h"
#include "runs/run_folder.h"
#include "train/training_run.h"

namespace inlay {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxConfigBytes = 16u << 20;
constexpr int kMaxFilesCounted = 100000;
constexpr const char* kAdapterConfig = "adapter_config.json";

fs::path absolute_folder(const fs::path& folder) {
  fs::path path = fs::absolute(folder).lexically_normal();
  return path.has_filename() ? path : path.parent_path();
}

// Of the files in and below a folder; links are not followed.
int64_t bytes_below(const fs::path& folder) {
  std::error_code error;
  int64_t bytes = 0;
  int files = 0;
  auto options = fs::directory_options::skip_permission_denied;
  for (fs::recursive_directory_iterator at(folder, options, error), end;
       !error && at != end && files < kMaxFilesCounted; at.increment(error), ++files) {
    std::error_code unknown;
    if (!at->is_regular_file(unknown) || at->is_symlink(unknown)) continue;
    auto size = at->file_size(unknown);
    if (!unknown) bytes += static_cast<int64_t>(size);
  }
  return bytes;
}

std::string time_of(const fs::path& file) {
  std::error_code error;
  fs::file_time_type time = fs::last_write_time(file, error);
  if (error) return "";
  auto system = std::chrono::file_clock::to_sys(time);
  std::time_t seconds = std::chrono::system_clock::to_time_t(
      std::chrono::time_point_cast<std::chrono::system_clock::duration>(system));
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  std::size_t length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return {text.data(), length};
}

// The first figure of the task's headline that was measured.
void add_figure(RegistryEntry& entry, const Json& metrics) {
  for (const TaskInfo* task : all_tasks()) {
    if (task->name != entry.task) continue;
    for (const std::string& name : task->headline) {
      auto found = metrics.find(name);
      if (found == metrics.end() || !found->is_number()) continue;
      entry.metric = name;
      entry.value = found->get<double>();
      return;
    }
  }
}

bool names_any(const std::string& tensor, const std::vector<std::string>& modules) {
  return std::any_of(modules.begin(), modules.end(), [&](const std::string& module) {
    return ("." + tensor).find("." + module + ".") != std::string::npos;
  });
}

template <class File>
int64_t count_outside(const File& file, const std::vector<std::string>& modules) {
  int64_t count = 0;
  for (const std::string& name : file.names()) {
    if (!names_any(name, modules)) count += file.tensor(name).count();
  }
  return count;
}

// The modules that PEFT saves whole, a head above all.
std::vector<std::string> modules_to_save(const Json& config) {
  std::vector<std::string> modules;
  auto found = config.find("modules_to_save");
  if (found == config.end() || !found->is_array()) return modules;
  for (const Json& module : *found) {
    if (module.is_string()) modules.push_back(module.get<std::string>());
  }
  return modules;
}

std::optional<int64_t> stored_parameters(const fs::path& folder, const Json& config) try {
  std::vector<std::string> saved = modules_to_save(config);
  for (const char* name :
       {"adapter_model.safetensors", "adapter.safetensors", "adapters.safetensors"}) {
    if (fs::exists(folder / name))
      return count_outside(SafetensorsFile::open(folder / name), saved);
  }
  for (const char* name : {"adapter_model.bin", "adapter_model.pt", "pytorch_adapter.bin"}) {
    if (fs::exists(folder / name)) return count_outside(TorchFile::open(folder / name), saved);
  }
  return std::nullopt;
} catch (const Error&) {
  return std::nullopt;
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

std::string text_at(const Json& object, const char* key) {
  auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

// What PEFT, AdapterHub or mlx-lm wrote, in so far as it says so.
void add_foreign(RegistryEntry& entry, const Json& config) {
  if (config.contains("peft_type")) {
    entry.method = lower(text_at(config, "peft_type"));
  } else if (config.contains("config") && config.at("config").is_object()) {
    // A bottleneck's architecture is null there.
    entry.method = text_at(config.at("config"), "architecture");
    if (entry.method.empty()) entry.method = "bottleneck";
    entry.name = text_at(config, "name");
  } else if (config.contains("fine_tune_type") || config.contains("lora_parameters")) {
    entry.method = "lora";
  }
}

void add_base_name(RegistryEntry& entry, const Json& config) {
  for (const char* key : {"base_model_name_or_path", "model_name", "model"}) {
    std::string name = text_at(config, key);
    if (!name.empty()) entry.base_name = folder_name(name);
  }
}

// The run's folder that an adapter's folder lies in: runs/a/adapter, runs/a/fold-2/adapter.
fs::path run_around(const fs::path& adapter) {
  fs::path split = adapter.parent_path();
  if (is_run_folder(split)) return split;
  bool fold = split.filename().string().starts_with("fold-");
  return fold && is_run_folder(split.parent_path()) ? split.parent_path() : fs::path();
}

std::string finished_at(const fs::path& run) {
  fs::path manifest = run / "manifest.json";
  if (!fs::exists(manifest)) return "";
  return text_at(read_manifest(manifest).at("environment"), "finished");
}

// What the run knows of its adapter; result.json stands beside it.
void add_run(RegistryEntry& entry, const fs::path& run, const fs::path& adapter) {
  entry.run = run.string();
  fs::path split = adapter.parent_path();
  entry.name = run.filename().string();
  if (split != run) entry.name += "/" + split.filename().string();
  TrainConfig config = read_run_config(run);
  if (entry.base_name.empty()) entry.base_name = folder_name(config.model);
  fs::path saved = split / "result.json";
  if (fs::exists(saved)) {
    Json result = read_json(saved).at("result");
    entry.parameters = json_get<int64_t>(result, "adapter_parameters", saved.string());
    if (result.contains("test")) add_figure(entry, result.at("test"));
  }
  std::string finished = finished_at(run);
  if (!finished.empty()) entry.when = finished;
}

RegistryEntry run_entry(const fs::path& folder) {
  RegistryEntry entry;
  TrainConfig config = read_run_config(folder);
  entry.kind = RegistryKind::kRun;
  entry.path = folder.string();
  entry.name = folder.filename().string();
  entry.settings = config.method;
  entry.method = method_names(config.method);
  entry.task = config.task;
  entry.base_name = folder_name(config.model);
  entry.bytes = bytes_below(folder);
  entry.finished = fs::exists(folder / "manifest.json");
  if (!entry.finished) {
    entry.when = time_of(folder / "config.json");
    return entry;
  }
  Json manifest = read_manifest(folder / "manifest.json");
  const Json& base = manifest.at("base");
  entry.base_name = text_at(base, "name");
  entry.base_hash = text_at(base, "root_hash");
  entry.when = text_at(manifest.at("environment"), "finished");
  for (const Json& evaluation : manifest.at("evaluations")) {
    if (text_at(evaluation, "split") == "test") add_figure(entry, evaluation.at("metrics"));
  }
  return entry;
}

// The run's own, or one per fold, in the order of the folds.
std::vector<fs::path> adapters_of(const fs::path& run) {
  std::vector<fs::path> adapters;
  if (is_adapter_folder(run / "adapter")) adapters.push_back(run / "adapter");
  int64_t folds = read_run_config(run).folds;
  for (int64_t fold = 1; fold <= folds; ++fold) {
    fs::path adapter = run / fmt::format("fold-{}", fold) / "adapter";
    if (is_adapter_folder(adapter)) adapters.push_back(adapter);
  }
  return adapters;
}

// What a hand-made file lacks, as an error that names the file.
template <class Read>
auto reading(const fs::path& folder, Read read) try {
  return read();
} catch (const Json::exception& error) {
  fail(ErrorKind::kInput, "{}: a file of it is not as Inlay writes it: {}", folder.string(),
       error.what());
} catch (const fs::filesystem_error& error) {
  fail(ErrorKind::kIo, "{}: {}", folder.string(), error.code().message());
}

RegistryEntry read_adapter_entry(const fs::path& folder) {
  fs::path file = folder / kAdapterConfig;
  Json config = read_json(file, kMaxConfigBytes);
  require(config.is_object(), ErrorKind::kInput, "{}: expected a JSON object, found {}",
          file.string(), config.type_name());
  RegistryEntry entry;
  entry.path = folder.string();
  entry.when = time_of(file);
  entry.bytes = bytes_below(folder);
  entry.parameters = stored_parameters(folder, config);
  add_base_name(entry, config);
  if (config.contains(kRecordKey)) {
    AdapterRecord record = record_from_config(config, file.string());
    entry.name = record.name;
    entry.settings = record.method;
    entry.method = method_names(record.method);
    entry.task = record.label.task;
    entry.base_hash = record.base_root_hash;
  } else {
    add_foreign(entry, config);
  }
  require(!entry.method.empty(), ErrorKind::kInput,
          "{}: not Inlay's adapter, nor PEFT's, AdapterHub's or mlx-lm's", file.string());
  if (entry.name.empty() || entry.name == "default") entry.name = folder.filename().string();
  fs::path run = run_around(folder);
  if (!run.empty()) add_run(entry, run, folder);
  return entry;
}

}  // namespace

bool is_run_folder(const fs::path& folder) {
  std::error_code error;
  return fs::is_regular_file(folder / "config.json", error) &&
         fs::is_regular_file(folder / "inputs.json", error);
}

bool is_adapter_folder(const fs::path& folder) {
  std::error_code error;
  return fs::is_regular_file(folder / kAdapterConfig, error);
}

std::vector<RegistryEntry> run_entries(const fs::path& folder) {
  return reading(folder, [&] {
    fs::path path = absolute_folder(folder);
    std::vector<RegistryEntry> entries{run_entry(path)};
    std::vector<fs::path> adapters = adapters_of(path);
    entries.reserve(adapters.size() + 1);
    for (const fs::path& adapter : adapters) entries.push_back(read_adapter_entry(adapter));
    if (entries.size() > 1) entries[0].parameters = entries[1].parameters;
    return entries;
  });
}

RegistryEntry adapter_entry(const fs::path& folder) {
  return reading(folder, [&] { return read_adapter_entry(absolute_folder(folder)); });
}

std::string method_names(const std::string& settings) {
  std::string names;
  int depth = 0;
  for (char c : settings) {
    if (c == '[') ++depth;
    if (depth == 0) names += c;
    if (c == ']') --depth;
  }
  return names;
}

}  // namespace inlay
