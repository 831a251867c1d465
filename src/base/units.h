// Quantities as people read them, the same everywhere: 1,234,567 · 1.5 GB · 3 min 05 s. Decimal
// units, as in "1 MB = 1,000,000 bytes".
#pragma once

#include <cstdint>
#include <string>

namespace inlay {

std::string format_count(int64_t count);      // 1,234,567
std::string format_bytes(uint64_t bytes);     // 999 B, 1.50 kB, 43.2 MB, 812 GB
std::string format_seconds(double seconds);   // 0.84 s, 12.3 s, 3 min 05 s, 2 h 07 min
std::string format_percent(double fraction);  // 0.0312 is 3.12 %, 0.914 is 91.4 %

}  // namespace inlay
