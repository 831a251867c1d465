// Carries a LoRA adapter from one library's files into another's, without its base model.
//
//   Conversion done = convert_adapter("runs/a/adapter", AdapterFormat::kMlx, "for-mlx", {});
//
// Exact: what the adapter computes is the same to the last bit of its tensors, or the conversion is
// refused by name, or (allow_rounding) says how far it is off. Nothing is dropped silently: every
// tensor and every setting of the source is understood, or an error lists it.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "adapters/exchange/base_shape.h"

namespace inlay::exchange {

enum class FileFormat { kPeft, kAdapterHub, kMlx, kTorchtune, kGguf };
const char* file_format_name(FileFormat format);  // "peft"
std::string file_format_names();                  // "peft, adapterhub, ... or gguf"
// kUsage listing the names for any other.
FileFormat file_format_from_name(const std::string& name);

struct ConvertOptions {
  BaseShape base;
  std::string name;  // AdapterHub's name of the adapter; empty: the source's
  bool allow_rounding = false;
  bool without_head = false;
};

struct Conversion {
  FileFormat from = FileFormat::kPeft;
  std::size_t modules = 0;
  int64_t parameters = 0;
  bool dora = false;
  std::optional<int64_t> rank;  // when it is the same for all modules, as the next
  std::optional<double> scale;
  std::vector<std::string> notes;  // everything that was not carried over as it was
};

// The format of a folder, by its files and configuration; kInput when it is none of those that are
// read: all but GGUF.
FileFormat detect_format(const std::filesystem::path& folder);

// Whether the folder holds LoRA or DoRA in one of these formats, which convert_adapter() takes.
bool holds_lora(const std::filesystem::path& folder);

// `out` appears whole or not at all. kUsage when it is there already.
Conversion convert_adapter(const std::filesystem::path& source, FileFormat to,
                           const std::filesystem::path& out, const ConvertOptions& options);

}  // namespace inlay::exchange
