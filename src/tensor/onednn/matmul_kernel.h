// One compiled product of oneDNN with what it needs at each run.
#pragma once

#include <array>
#include <cstddef>
#include <memory_resource>
#include <oneapi/dnnl/dnnl.hpp>
#include <span>
#include <vector>

#include "base/error.h"
#include "tensor/onednn/cpu_engine.h"

namespace inlay::onednn {

// Memory for one run, given back at the end of it.
class Scratch {
 public:
  Scratch(std::size_t bytes, std::pmr::memory_resource* memory)
      : bytes_(bytes), memory_(memory), data_(bytes > 0 ? memory->allocate(bytes, 64) : nullptr) {}
  ~Scratch() {
    if (data_ != nullptr) memory_->deallocate(data_, bytes_, 64);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  std::byte* data() const { return static_cast<std::byte*>(data_); }

 private:
  std::size_t bytes_;
  std::pmr::memory_resource* memory_;
  void* data_;
};

// The C call takes its arguments from the stack, where the C++ one would build a map per run.
inline void execute(const dnnl::primitive& primitive, const dnnl::stream& stream,
                    std::span<const dnnl_exec_arg_t> arguments) {
  ensure(dnnl_primitive_execute(primitive.get(), stream.get(), static_cast<int>(arguments.size()),
                                arguments.data()) == dnnl_success,
         "a matrix product or its packing failed");
}

class Kernel {
 public:
  using Desc = dnnl::memory::desc;

  Kernel(const Desc& src, const Desc& weights, const Desc& dst, const Desc* bias)
      : descs_{src, weights, dst}, has_bias_(bias != nullptr) {
    auto op = has_bias_ ? dnnl::matmul::desc(src, weights, *bias, dst)
                        : dnnl::matmul::desc(src, weights, dst);
    dnnl::primitive_attr attributes;
    attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    dnnl::matmul::primitive_desc description(op, attributes, cpu_engine());
    primitive_ = dnnl::matmul(description);
    descs_[3] = description.scratchpad_desc();
    if (has_bias_) descs_[4] = *bias;
    reserve(1);
  }

  std::size_t scratch_bytes() const { return descs_[3].get_size(); }
  // So many runs at once, in slots from 0.
  void reserve(int slots) {
    while (static_cast<int>(slots_.size()) < slots) {
      Slot& slot = slots_.emplace_back();
      for (std::size_t i = 0; i < (has_bias_ ? 5u : 4u); ++i)
        slot.memory[i] = dnnl::memory(descs_[i], cpu_engine(), nullptr);
    }
  }

  struct Operands {
    const void* src;
    const void* weights;
    const float* bias;
    void* dst;
    void* scratch;
  };
  void run(int slot_number, const Operands& operands) {
    Slot& slot = slots_[static_cast<std::size_t>(slot_number)];
    const std::array<std::pair<int, const void*>, 5> parts{{{DNNL_ARG_SRC, operands.src},
                                                            {DNNL_ARG_WEIGHTS, operands.weights},
                                                            {DNNL_ARG_DST, operands.dst},
                                                            {DNNL_ARG_SCRATCHPAD, operands.scratch},
                                                            {DNNL_ARG_BIAS, operands.bias}}};
    std::array<dnnl_exec_arg_t, 5> arguments{};
    std::size_t count = has_bias_ ? 5 : 4;
    for (std::size_t i = 0; i < count; ++i) {
      slot.memory[i].set_data_handle(const_cast<void*>(parts[i].second));
      arguments[i] = {parts[i].first, slot.memory[i].get()};
    }
    execute(primitive_, slot.stream, std::span(arguments).first(count));
  }

 private:
  struct Slot {
    std::array<dnnl::memory, 5> memory;  // src, weights, dst, scratchpad, bias
    dnnl::stream stream{cpu_engine()};
  };

  std::array<Desc, 5> descs_;
  bool has_bias_;
  dnnl::matmul primitive_;
  std::vector<Slot> slots_;
};

}  // namespace inlay::onednn
