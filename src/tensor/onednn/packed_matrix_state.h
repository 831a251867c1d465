// What a PackedMatrix holds, for the products that read it.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "tensor/onednn/matmul_kernel.h"
#include "tensor/onednn/packed_matrix.h"
#include "tensor/onednn/panel.h"
#include "tensor/onednn/stored_matrix.h"

namespace inlay::onednn {

// The kernel that brings a stored weight into the blocked layout.
struct Packing {
  dnnl::reorder primitive;
  dnnl::memory source, packed;
  dnnl::stream stream{cpu_engine()};

  Packing(const Desc& from, const Desc& to)
      : primitive(dnnl::reorder::primitive_desc(cpu_engine(), from, cpu_engine(), to)),
        source(from, cpu_engine(), nullptr),
        packed(to, cpu_engine(), nullptr) {}

  void run(const void* source_data, void* packed_data) {
    source.set_data_handle(const_cast<void*>(source_data));
    packed.set_data_handle(packed_data);
    std::array<dnnl_exec_arg_t, 2> arguments{
        {{DNNL_ARG_FROM, source.get()}, {DNNL_ARG_TO, packed.get()}}};
    execute(primitive, stream, arguments);
    stream.wait();
  }
};

struct PackedMatrix::State {
  int64_t in, out;
  DType compute;
  std::vector<Panel> panels;
  Tensor memory;  // bytes of all panels
  Layout layout;
  DType stored;                        // of the weight that is packed
  std::vector<Packing> packings;       // of a weight that is packed again and again, by panel
  std::optional<StoredMatrix> source;  // in place of memory

  // Whether one kernel multiplies all columns at once.
  bool is_whole() const { return panels.front().order == PanelOrder::kPreferred; }
  const std::byte* data(const Panel& panel) const { return memory.raw() + panel.offset; }
  // Whether the kernel reads panels where the source holds them. Without AVX-512 they are brought
  // together first where their rows lie so far apart that they share few lines of the cache.
  bool in_place() const {
    constexpr int64_t kSharedBytes = 2048;
    bool apart = layout == Layout::kInOut && out * 4 % kSharedBytes == 0 && !has_avx512();
    return !apart && source->is_plain(compute) && multiplied(compute) == compute;
  }
  // What a reader needs of a source that is not: room for a panel and the making of it.
  class PanelReader;
  std::size_t room_bytes() const;
  void make_panel(const Panel& panel, std::byte* room) const;
  const std::byte* stored_panel(const Panel& panel) const {
    return layout == Layout::kOutIn ? source->data(panel.first, 0) : source->data(0, panel.first);
  }

  Packing make_packing(const Panel& panel) const {
    Dims strides = layout == Layout::kOutIn ? Dims{1, in} : Dims{out, 1};
    return {Desc(Dims{in, panel.width}, element_type(stored), strides), panel.desc};
  }
  void pack_panel(Packing& packing, const Panel& panel, const Tensor& source) {
    int64_t before = panel.first * (layout == Layout::kOutIn ? in : 1);
    packing.run(source.raw() + static_cast<std::size_t>(before) * dtype_size(stored),
                memory.mutable_raw() + panel.offset);
  }
};

// One thread's sight of the panels, one after another: packed and plain ones where they lie, others
// in the thread's room, where each stays until another is asked for.
class PackedMatrix::State::PanelReader {
 public:
  // room: matrix.room_bytes(), 64-byte aligned.
  PanelReader(const State& matrix, std::byte* room) : matrix_(matrix), room_(room) {}

  const std::byte* read(const Panel& panel) {
    if (!matrix_.source) return matrix_.data(panel);
    if (matrix_.in_place()) return matrix_.stored_panel(panel);
    if (held_ != &panel) matrix_.make_panel(panel, room_);
    held_ = &panel;
    return room_;
  }

 private:
  const State& matrix_;
  std::byte* room_;
  const Panel* held_ = nullptr;
};

}  // namespace inlay::onednn
