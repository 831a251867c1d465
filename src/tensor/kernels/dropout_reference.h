// Dropout by one Philox call per element, computed in T (float or double).
#pragma once

#include "tensor/kernels/dropout.h"

namespace inlay::kernels {

template <class T>
void dropout_reference(const Dropout& args, Input src, Output dst) {
  const auto threshold = static_cast<float>(args.probability);
  const T factor = T{1} / (T{1} - static_cast<T>(args.probability));
  for (int64_t t = 0; t < args.rows; ++t) {
    for (int64_t c = 0; c < args.channels; ++c) {
      const PhiloxCounter counter = {static_cast<uint32_t>(c / 4),
                                     static_cast<uint32_t>(args.token_position[t]),
                                     static_cast<uint32_t>(args.example_place[t]), args.step};
      const uint32_t bits = philox4x32(counter, args.key)[static_cast<std::size_t>(c % 4)];
      const int64_t i = t * args.channels + c;
      dst.store(i, unit_float(bits) >= threshold ? src.load<T>(i) * factor : T{0});
    }
  }
}

}  // namespace inlay::kernels
