// Any bytes as JSON Lines and as a JSON array: the readers give a rectangular table or an Error,
// within their limits.
#include "data/jsonl.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/error.h"
#include "data/encoding.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try {
    std::string_view text = inlay::checked_text(bytes, "fuzz");
    inlay::TableLimits limits{.row_bytes = 1 << 14, .field_bytes = 1 << 12, .columns = 64};
    bool array = inlay::trimmed(text).starts_with('[');
    inlay::Table table = array ? inlay::parse_json_array(text, "fuzz", limits)
                               : inlay::parse_jsonl(text, "fuzz", limits);
    for (const auto& column : table.cells) {
      if (column.size() != table.rows()) std::abort();
    }
  } catch (const inlay::Error& error) {
    if (error.kind() != inlay::ErrorKind::kInput) std::abort();
  }
  return 0;
}
