#include "adapters/storage.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "adapters/adapter_record.h"
#include "adapters/adapterhub_format.h"
#include "adapters/native_format.h"
#include "adapters/peft_format.h"
#include "base/files.h"
#include "base/hash.h"

namespace fs = std::filesystem;

namespace inlay {
namespace {

constexpr std::size_t kMaxConfigBytes = 16u << 20;
constexpr const char* kConfigFile = "adapter_config.json";

Json read_config(const fs::path& folder) {
  fs::path path = folder / kConfigFile;
  require(fs::exists(path), ErrorKind::kInput,
          "{}: no adapter_config.json; expected an adapter's folder", folder.string());
  Json config = read_json(path, kMaxConfigBytes);
  require(config.is_object(), ErrorKind::kInput, "{}: expected a JSON object, found {}",
          path.string(), config.type_name());
  return config;
}

void hash_parameter(Sha256& hash, const Parameter& parameter) {
  hash.update(fmt::format("{} {}\n", parameter.name(), parameter.shape().text()));
  hash.update(parameter.value().bytes());
}

// Exchanges the folders, so that at every instant the old or the new one is there.
void move_into_place(const fs::path& staging, const fs::path& folder) {
  if (!fs::exists(folder)) {
    fs::rename(staging, folder);
    return;
  }
  require(::renameat2(AT_FDCWD, staging.c_str(), AT_FDCWD, folder.c_str(), RENAME_EXCHANGE) == 0,
          ErrorKind::kIo, "{}: cannot be replaced: {}", folder.string(), std::strerror(errno));
  fs::remove_all(staging);
}

void write_format(const fs::path& folder, const AdapterBundle& bundle, const BaseFacts& base) {
  bool fits = bundle.adapter != nullptr && bundle.adapter->method().fits_format();
  AdapterFormat format = fits ? bundle.adapter->info().format : AdapterFormat::kNative;
  switch (format) {
    case AdapterFormat::kPeft:
      return write_peft(folder, bundle, base);
    case AdapterFormat::kAdapterHub:
      return write_adapterhub(folder, bundle, base);
    case AdapterFormat::kNative:
      return write_native(folder, bundle, base);
  }
}

}  // namespace

void save_adapter(const fs::path& folder, const AdapterBundle& bundle, const BaseFacts& base) {
  fs::path target = fs::absolute(folder).lexically_normal();
  if (!target.has_filename()) target = target.parent_path();
  fs::path staging = target.parent_path() / ("." + target.filename().string() + ".partial");
  try {
    fs::create_directories(target.parent_path());
    fs::remove_all(staging);
    fs::create_directory(staging);
    AdapterBundle kept = bundle;
    std::unique_ptr<Adapter> finished =
        bundle.adapter != nullptr ? bundle.adapter->finished(base) : nullptr;
    if (finished != nullptr) kept.adapter = finished.get();
    write_format(staging, kept, base);
    move_into_place(staging, target);
  } catch (const Error&) {
    std::error_code ignored;
    fs::remove_all(staging, ignored);
    throw;
  } catch (const fs::filesystem_error& error) {
    fail(ErrorKind::kIo, "{}: the adapter cannot be written: {}", folder.string(),
         error.code().message());
  }
}

HeadLabel recorded_label(const fs::path& folder) {
  Json config = read_config(folder);
  if (!config.contains(kRecordKey)) return {};
  return record_from_config(config, (folder / kConfigFile).string()).label;
}

LoadedAdapter load_adapter(const fs::path& folder, const BaseFacts& base) {
  Json config = read_config(folder);
  if (config.contains("peft_type")) return read_peft(folder, config, base);
  if (config.contains("config")) return read_adapterhub(folder, config, base);
  require(config.contains(kRecordKey), ErrorKind::kInput,
          "{}: neither PEFT's, AdapterHub's nor our own adapter: no key \"peft_type\", \"config\" "
          "or \"{}\"",
          (folder / kConfigFile).string(), kRecordKey);
  return read_native(folder, config, base);
}

std::string adapter_hash(const Adapter* adapter, const Head* head) {
  Sha256 hash;
  if (adapter != nullptr) {
    for (const Adapter::Entry& entry : adapter->entries()) hash_parameter(hash, entry.parameter);
  }
  if (head != nullptr) {
    for (const Parameter& parameter : head->parameters()) hash_parameter(hash, parameter);
  }
  return hex(hash.finish());
}

}  // namespace inlay
