// Any bytes as a CSV file: the reader gives a rectangular table or an Error, within its limits.
#include "data/csv.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/error.h"
#include "data/encoding.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try {
    inlay::Table table = inlay::parse_csv(inlay::checked_text(bytes, "fuzz"), "fuzz",
                                          {.field_bytes = 1 << 12, .columns = 64});
    for (const auto& column : table.cells) {
      if (column.size() != table.rows()) std::abort();
    }
  } catch (const inlay::Error& error) {
    if (error.kind() != inlay::ErrorKind::kInput) std::abort();
  }
  return 0;
}
