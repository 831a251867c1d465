// oneDNN's handle on the processor, made at first use and shared; it holds no state of ours.
#pragma once

#include <oneapi/dnnl/dnnl.hpp>

namespace inlay::onednn {

inline const dnnl::engine& cpu_engine() {
  static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

}  // namespace inlay::onednn
