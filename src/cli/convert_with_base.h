// Conversions that need the base: an adapter of any method that both libraries have is loaded onto
// it and saved as the other library keeps it.
#pragma once

#include <filesystem>
#include <string>

#include "adapters/exchange/convert.h"
#include "base/json.h"

namespace inlay::cli {

struct BaseConversion {
  std::filesystem::path adapter, out;
  std::string model;  // a pulled name or a folder; empty: kUsage
  std::string name;   // AdapterHub's; empty: the adapter's own
  bool without_head = false;
};

// kInput where the format has no place for the adapter, naming what. What was done, as --json
// prints it.
Json convert_with_base(const BaseConversion& wanted, exchange::FileFormat to);

}  // namespace inlay::cli
