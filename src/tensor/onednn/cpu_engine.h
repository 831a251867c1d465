// oneDNN's handle on the processor, made at first use and shared; it holds no state of ours.
#pragma once

#include <oneapi/dnnl/dnnl.hpp>

namespace inlay::onednn {

inline const dnnl::engine& cpu_engine() {
  static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

// Whether oneDNN may use AVX-512: the processor has it, and ONEDNN_MAX_CPU_ISA does not forbid it.
inline bool has_avx512() {
  static const bool has = [] {
    auto isa = static_cast<unsigned>(dnnl::get_effective_cpu_isa());
    auto wanted = static_cast<unsigned>(dnnl::cpu_isa::avx512_core);
    return (isa & wanted) == wanted;
  }();
  return has;
}

}  // namespace inlay::onednn
