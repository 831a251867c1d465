// The largest sizes that a base's configuration may name: far above any that exists, and small
// enough that no product of two of them overflows.
#pragma once

#include <cstdint>

namespace inlay {

inline constexpr int64_t kMaxSize = 1 << 20;      // widths, tokens, types
inline constexpr int64_t kMaxChannels = 1 << 16;  // of a convolutional stage
inline constexpr int64_t kMaxSide = 4096;         // of a picture, in pixels

}  // namespace inlay
