#include "tensor/onednn/matmul.h"

#include <omp.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <oneapi/dnnl/dnnl.hpp>
#include <span>
#include <tuple>

#include "tensor/kernels/convert.h"
#include "tensor/onednn/cpu_engine.h"
#include "tensor/onednn/matmul_kernel.h"

namespace inlay::onednn {
namespace {

using Dims = dnnl::memory::dims;
using Desc = dnnl::memory::desc;

constexpr int64_t kMaxRows = 2048;
constexpr int64_t kPanelColumns = 128;

dnnl::memory::data_type element_type(DType dtype) {
  switch (dtype) {
    case DType::kF32:
      return dnnl::memory::data_type::f32;
    case DType::kBF16:
      return dnnl::memory::data_type::bf16;
    case DType::kF16:
      return dnnl::memory::data_type::f16;
    default:
      fail(ErrorKind::kInternal, "no matrix product in {}", dtype_name(dtype));
  }
}

// What oneDNN multiplies where `compute` is asked for: bf16 in f32 on a processor without AVX-512,
// which is exact for each product of two bf16 numbers.
DType multiplied(DType compute) { return has_avx512() ? compute : DType::kF32; }

Desc row_major(int64_t rows, int64_t columns, DType dtype) {
  return Desc(Dims{rows, columns}, element_type(dtype), dnnl::memory::format_tag::ab);
}

// The layout the kernel prefers; it is the same for every row count up to kMaxRows.
Desc preferred_layout(int64_t in, int64_t out, DType compute) {
  Desc any(Dims{in, out}, element_type(compute), dnnl::memory::format_tag::any);
  dnnl::matmul::desc op(row_major(1024, in, compute), any, row_major(1024, out, DType::kF32));
  return dnnl::matmul::primitive_desc(op, cpu_engine()).weights_desc();
}

// Columns [first, first + width) of a packed matrix, laid out by themselves.
struct Panel {
  int64_t first, width;
  Desc desc;
  std::size_t offset;  // bytes into the packed memory
};

// With AVX-512 one panel, in the layout the kernel prefers; elsewhere row-major ones so narrow that
// they stay in the cache while rows pass them by.
std::vector<Panel> panels_of(int64_t in, int64_t out, DType compute) {
  if (has_avx512()) return {{0, out, preferred_layout(in, out, compute), 0}};
  std::vector<Panel> panels;
  std::size_t offset = 0;
  for (int64_t first = 0; first < out; first += kPanelColumns) {
    int64_t width = std::min(kPanelColumns, out - first);
    Desc desc = row_major(in, width, multiplied(compute));
    panels.push_back({first, width, desc, offset});
    offset += (desc.get_size() + 63) / 64 * 64;
  }
  return panels;
}

// The weight in a type that oneDNN's packing reads, with the numbers that a product in `compute`
// has.
Tensor packable(const Tensor& weight, DType compute) {
  if (multiplied(compute) != compute) return weight.to(compute).to(multiplied(compute));
  bool reads = weight.dtype() != DType::kF16 && weight.dtype() != DType::kF64;
  return reads ? weight : weight.to(DType::kF32);
}

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

}  // namespace

struct PackedMatrix::State {
  int64_t in, out;
  DType compute;
  std::vector<Panel> panels;
  Tensor memory;  // bytes of all panels
  Layout layout;
  DType stored;                   // of the weight that is packed
  std::vector<Packing> packings;  // of a weight that is packed again and again, by panel

  const std::byte* data(const Panel& panel) const { return memory.raw() + panel.offset; }
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

PackedMatrix::PackedMatrix() = default;
PackedMatrix::~PackedMatrix() = default;
PackedMatrix::PackedMatrix(PackedMatrix&&) noexcept = default;
PackedMatrix& PackedMatrix::operator=(PackedMatrix&&) noexcept = default;

int64_t PackedMatrix::in() const { return state_->in; }
int64_t PackedMatrix::out() const { return state_->out; }
DType PackedMatrix::compute() const { return state_->compute; }
std::size_t PackedMatrix::bytes() const { return state_->memory.byte_count(); }

PackedMatrix PackedMatrix::pack(const Tensor& weight, Layout layout, DType compute) {
  ensure(weight.shape().rank() == 2, "a weight of shape {} cannot be packed",
         weight.shape().text());
  bool out_in = layout == Layout::kOutIn;
  int64_t in = weight.dim(out_in ? 1 : 0);
  int64_t out = weight.dim(out_in ? 0 : 1);
  Tensor source = packable(weight, compute);
  PackedMatrix packed;
  packed.state_ = std::make_unique<State>(
      State{in, out, compute, panels_of(in, out, compute), Tensor(), layout, source.dtype(), {}});
  State& state = *packed.state_;
  const Panel& last = state.panels.back();
  state.memory =
      Tensor::empty({static_cast<int64_t>(last.offset + last.desc.get_size())}, DType::kU8);
  for (const Panel& panel : state.panels) {
    Packing packing = state.make_packing(panel);
    state.pack_panel(packing, panel, source);
  }
  return packed;
}

void PackedMatrix::repack(const Tensor& weight) {
  Tensor source = packable(weight, state_->compute);
  ensure(source.dtype() == state_->stored, "a {} weight was packed as {} before",
         dtype_name(source.dtype()), dtype_name(state_->stored));
  if (state_->packings.empty()) {
    state_->packings.reserve(state_->panels.size());
    for (const Panel& panel : state_->panels)
      state_->packings.push_back(state_->make_packing(panel));
  }
  for (std::size_t i = 0; i < state_->panels.size(); ++i)
    state_->pack_panel(state_->packings[i], state_->panels[i], source);
}

struct Runtime::State {
  // rows, in, columns of the panel, multiplied type, dst dtype, bias, columns of dst
  using MatmulKey = std::tuple<int64_t, int64_t, int64_t, DType, DType, bool, int64_t>;
  // k, m, n, type, columns of the left matrix
  using TransposedKey = std::tuple<int64_t, int64_t, int64_t, DType, int64_t>;

  struct Product {
    int64_t rows, in;
    const Panel& panel;
    DType type, dst_dtype;
    bool bias;
    int64_t dst_columns;
  };
  Kernel& kernel_for(const Product& product);
  Kernel& kernel_for_transposed(int64_t k, int64_t m, int64_t n, DType dtype, int64_t columns);
  void matmul_whole(const MatmulArgs& args, const PackedMatrix::State& packed);
  void matmul_in_pieces(const MatmulArgs& args, const PackedMatrix::State& packed);

  std::pmr::memory_resource* memory;
  std::map<MatmulKey, Kernel> matmuls;
  std::map<TransposedKey, Kernel> transposed_matmuls;
};

Runtime::Runtime(std::pmr::memory_resource* memory) : state_(std::make_unique<State>()) {
  state_->memory = memory;
}
Runtime::~Runtime() = default;

int64_t Runtime::primitives_created() const {
  return static_cast<int64_t>(state_->matmuls.size() + state_->transposed_matmuls.size());
}

Kernel& Runtime::State::kernel_for(const Product& product) {
  const auto& [rows, in, panel, type, dst_dtype, bias, dst_columns] = product;
  MatmulKey key{rows, in, panel.width, type, dst_dtype, bias, dst_columns};
  auto found = matmuls.find(key);
  if (found != matmuls.end()) return found->second;
  Desc bias_desc(Dims{1, panel.width}, dnnl::memory::data_type::f32, dnnl::memory::format_tag::ab);
  Desc dst(Dims{rows, panel.width}, element_type(dst_dtype), Dims{dst_columns, 1});
  Kernel kernel(row_major(rows, in, type), panel.desc, dst, bias ? &bias_desc : nullptr);
  return matmuls.emplace(key, std::move(kernel)).first->second;
}

Kernel& Runtime::State::kernel_for_transposed(int64_t k, int64_t m, int64_t n, DType dtype,
                                              int64_t columns) {
  TransposedKey key{k, m, n, dtype, columns};
  auto found = transposed_matmuls.find(key);
  if (found != transposed_matmuls.end()) return found->second;
  Desc left(Dims{m, k}, element_type(dtype), Dims{1, columns});
  Kernel kernel(left, row_major(k, n, dtype), row_major(m, n, DType::kF32), nullptr);
  return transposed_matmuls.emplace(key, std::move(kernel)).first->second;
}

void Runtime::matmul(const MatmulArgs& args, const PackedMatrix& weight) {
  if (has_avx512()) {
    state_->matmul_whole(args, *weight.state_);
  } else {
    state_->matmul_in_pieces(args, *weight.state_);
  }
}

// With AVX-512 a row's bits depend neither on how many others there are nor on the threads.
void Runtime::State::matmul_whole(const MatmulArgs& args, const PackedMatrix::State& packed) {
  std::size_t src_row = static_cast<std::size_t>(packed.in) * dtype_size(packed.compute);
  std::size_t dst_row = static_cast<std::size_t>(packed.out) * dtype_size(args.dst_dtype);
  const auto* src = static_cast<const std::byte*>(args.src);
  auto* dst = static_cast<std::byte*>(args.dst);

  auto run = [&](const std::byte* from, std::byte* to, int64_t rows) {
    const Panel& panel = packed.panels[0];
    Kernel& kernel = kernel_for(
        {rows, packed.in, panel, packed.compute, args.dst_dtype, args.bias != nullptr, packed.out});
    Scratch scratch(kernel.scratch_bytes(), memory);
    kernel.run(0, {from, packed.data(panel), args.bias, to, scratch.data()});
  };

  int64_t whole = (args.rows + kRowUnit - 1) / kRowUnit * kRowUnit;
  if (whole - args.rows > args.spare_rows) whole -= kRowUnit;
  int64_t done = 0;
  while (done < whole) {
    int64_t piece = std::min(kMaxRows, whole - done);
    run(src + static_cast<std::size_t>(done) * src_row,
        dst + static_cast<std::size_t>(done) * dst_row, piece);
    done += piece;
  }
  if (done >= args.rows) return;
  auto rest = static_cast<std::size_t>(args.rows - done);
  Scratch from(kRowUnit * src_row, memory);
  Scratch to(kRowUnit * dst_row, memory);
  std::memcpy(from.data(), src + static_cast<std::size_t>(done) * src_row, rest * src_row);
  std::memset(from.data() + rest * src_row, 0, (kRowUnit - rest) * src_row);
  run(from.data(), to.data(), kRowUnit);
  std::memcpy(dst + static_cast<std::size_t>(done) * dst_row, to.data(), rest * dst_row);
}

namespace {

// (rows, columns) as `type` with zero rows behind them up to `padded`; itself where nothing is to
// be done.
const std::byte* padded_rows(const void* rows, int64_t count, int64_t columns, DType dtype,
                             DType type, int64_t padded, std::byte* room) {
  const auto* bytes = static_cast<const std::byte*>(rows);
  if (padded == count && type == dtype) return bytes;
  kernels::convert(bytes, dtype, room, type, count * columns);
  std::size_t row = static_cast<std::size_t>(columns) * dtype_size(type);
  std::memset(room + static_cast<std::size_t>(count) * row, 0,
              static_cast<std::size_t>(padded - count) * row);
  return room;
}

}  // namespace

// Elsewhere both matter to oneDNN's kernels, so every product has kRowUnit rows, a panel's columns
// and one thread, and these are what the threads share out: panel by panel, so that one is read
// from memory once.
void Runtime::State::matmul_in_pieces(const MatmulArgs& args, const PackedMatrix::State& packed) {
  constexpr DType kType = DType::kF32;
  int threads = omp_get_max_threads();
  int64_t pieces = (args.rows + kRowUnit - 1) / kRowUnit, padded = pieces * kRowUnit;
  bool roomy = padded - args.rows <= args.spare_rows;
  int64_t rows = roomy ? padded : args.rows;  // that are there
  bool copies = packed.compute != kType || padded != rows;
  std::size_t src_row = static_cast<std::size_t>(packed.in) * sizeof(float);
  Scratch widened(copies ? static_cast<std::size_t>(padded) * src_row : 0, memory);
  const std::byte* src =
      padded_rows(args.src, rows, packed.in, packed.compute, kType, padded, widened.data());

  // Of the panels and of the last one: into dst, and into room for what does not fit there.
  std::array<Kernel*, 2> of_panels{}, of_last{};
  std::size_t bytes = 0;
  for (const Panel* panel : {&packed.panels.front(), &packed.panels.back()}) {
    for (std::size_t i : {0u, 1u}) {
      Kernel& kernel = kernel_for({kRowUnit, packed.in, *panel, kType, kType, args.bias != nullptr,
                                   i == 0 ? packed.out : panel->width});
      kernel.reserve(threads);
      bytes = std::max(bytes, (kernel.scratch_bytes() + 63) / 64 * 64);
      (panel == &packed.panels.back() ? of_last : of_panels)[i] = &kernel;
    }
  }
  std::size_t room = kRowUnit * kPanelColumns * sizeof(float) + bytes;
  Scratch scratch(room * static_cast<std::size_t>(threads), memory);
  auto count = static_cast<int64_t>(packed.panels.size());
#pragma omp parallel for schedule(static)
  for (int64_t number = 0; number < count * pieces; ++number) {
    int slot = omp_get_thread_num();
    const Panel& panel = packed.panels[static_cast<std::size_t>(number / pieces)];
    int64_t first = number % pieces * kRowUnit, own = std::min(kRowUnit, rows - first);
    std::byte* to_room = scratch.data() + room * static_cast<std::size_t>(slot);
    auto dst_at = [&](int64_t row) {
      return static_cast<std::byte*>(args.dst) +
             static_cast<std::size_t>(row * packed.out + panel.first) * dtype_size(args.dst_dtype);
    };
    bool fits = own == kRowUnit && args.dst_dtype == kType;
    Kernel* kernel = (number / pieces == count - 1 ? of_last : of_panels)[fits ? 0 : 1];
    kernel->run(
        slot, {src + static_cast<std::size_t>(first) * src_row, packed.data(panel),
               args.bias != nullptr ? args.bias + panel.first : nullptr,
               fits ? dst_at(first) : to_room, to_room + kRowUnit * kPanelColumns * sizeof(float)});
    for (int64_t row = 0; !fits && row < own; ++row) {
      kernels::convert(to_room + static_cast<std::size_t>(row * panel.width) * sizeof(float), kType,
                       dst_at(first + row), args.dst_dtype, panel.width);
    }
  }
}

void Runtime::matmul_transposed(const void* left, const void* right, DType dtype, int64_t k,
                                int64_t m, int64_t n, float* dst) {
  DType type = multiplied(dtype);
  int64_t padded = (k + kRowUnit - 1) / kRowUnit * kRowUnit;
  std::size_t element =
      padded == k && type == dtype ? 0 : static_cast<std::size_t>(padded) * dtype_size(type);
  Scratch left_room(element * static_cast<std::size_t>(m), state_->memory);
  Scratch right_room(element * static_cast<std::size_t>(n), state_->memory);
  const std::byte* from_left = padded_rows(left, k, m, dtype, type, padded, left_room.data());
  const std::byte* from_right = padded_rows(right, k, n, dtype, type, padded, right_room.data());
  if (has_avx512()) {
    Kernel& kernel = state_->kernel_for_transposed(padded, m, n, type, m);
    Scratch scratch(kernel.scratch_bytes(), state_->memory);
    kernel.run(0, {from_left, from_right, nullptr, dst, scratch.data()});
    return;
  }
  // Panels of dst's rows, one thread each, for the reason that matmul_in_pieces() has.
  int threads = omp_get_max_threads();
  int64_t panels = (m + kRowUnit - 1) / kRowUnit;
  std::size_t bytes = 0;
  std::array<Kernel*, 2> compiled{};  // for a whole panel and for the last
  for (int64_t number : {int64_t{0}, panels - 1}) {
    int64_t rows = std::min(kRowUnit, m - number * kRowUnit);
    Kernel& kernel = state_->kernel_for_transposed(padded, rows, n, type, m);
    kernel.reserve(threads);
    compiled[number == panels - 1 ? 1 : 0] = &kernel;
    bytes = std::max(bytes, (kernel.scratch_bytes() + 63) / 64 * 64);
  }
  Scratch scratch(bytes * static_cast<std::size_t>(threads), state_->memory);
#pragma omp parallel for schedule(static)
  for (int64_t number = 0; number < panels; ++number) {
    int slot = omp_get_thread_num();
    int64_t first = number * kRowUnit;
    compiled[number == panels - 1 ? 1 : 0]->run(
        slot, {from_left + static_cast<std::size_t>(first) * dtype_size(type), from_right, nullptr,
               dst + first * n, scratch.data() + bytes * static_cast<std::size_t>(slot)});
  }
}

}  // namespace inlay::onednn
