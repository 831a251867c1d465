#include "tensor/onednn/matmul.h"

#include <omp.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <oneapi/dnnl/dnnl.hpp>
#include <tuple>

#include "tensor/kernels/convert.h"
#include "tensor/onednn/matmul_kernel.h"
#include "tensor/onednn/packed_matrix_state.h"
#include "tensor/onednn/panel.h"

namespace inlay::onednn {
namespace {

constexpr int64_t kMaxRows = 2048;

}  // namespace

struct Runtime::State {
  // rows, in, columns, order and stride of the panel, multiplied type, dst dtype, bias, columns of
  // dst
  using MatmulKey =
      std::tuple<int64_t, int64_t, int64_t, PanelOrder, int64_t, DType, DType, bool, int64_t>;
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
  // Of the panels but the last and of the last one; [true]: into dst, [false]: into room for what
  // does not fit there.
  struct PieceKernels {
    std::array<Kernel*, 2> of_panels{}, of_last{};
    std::size_t scratch_bytes = 0;
  };
  PieceKernels kernels_for_pieces(const MatmulArgs& args, const PackedMatrix::State& packed,
                                  int threads);
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
  MatmulKey key{rows, in,        panel.width, panel.order, panel.stride,
                type, dst_dtype, bias,        dst_columns};
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
  if (weight.state_->is_whole()) {
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

Runtime::State::PieceKernels Runtime::State::kernels_for_pieces(const MatmulArgs& args,
                                                                const PackedMatrix::State& packed,
                                                                int threads) {
  PieceKernels compiled;
  DType type = multiplied(packed.compute);
  for (const Panel* panel : {&packed.panels.front(), &packed.panels.back()}) {
    for (bool fits : {false, true}) {
      Kernel& kernel = kernel_for({kRowUnit, packed.in, *panel, type, DType::kF32,
                                   args.bias != nullptr, fits ? packed.out : panel->width});
      kernel.reserve(threads);
      compiled.scratch_bytes =
          std::max(compiled.scratch_bytes, whole_lines(kernel.scratch_bytes()));
      (panel == &packed.panels.back() ? compiled.of_last : compiled.of_panels)[fits] = &kernel;
    }
  }
  return compiled;
}

// Elsewhere both matter to oneDNN's kernels, so every product has kRowUnit rows, a panel's columns
// and one thread, and these are what the threads share out: panel by panel, so that one is read
// from memory, or made, once. Kernels of AVX-512 also differ by how far apart the rows of dst are:
// there none writes into dst itself.
void Runtime::State::matmul_in_pieces(const MatmulArgs& args, const PackedMatrix::State& packed) {
  const DType type = multiplied(packed.compute);
  int threads = omp_get_max_threads();
  int64_t pieces = (args.rows + kRowUnit - 1) / kRowUnit, padded = pieces * kRowUnit;
  bool roomy = padded - args.rows <= args.spare_rows;
  int64_t rows = roomy ? padded : args.rows;  // that are there
  bool copies = packed.compute != type || padded != rows;
  std::size_t src_row = static_cast<std::size_t>(packed.in) * dtype_size(type);
  Scratch widened(copies ? static_cast<std::size_t>(padded) * src_row : 0, memory);
  const std::byte* src =
      padded_rows(args.src, rows, packed.in, packed.compute, type, padded, widened.data());

  PieceKernels compiled = kernels_for_pieces(args, packed, threads);
  // Each thread's: | a piece of dst | the kernel's scratch | a panel that is made |
  constexpr std::size_t kPieceBytes = kRowUnit * kPanelColumns * sizeof(float);
  std::size_t room = kPieceBytes + compiled.scratch_bytes + packed.room_bytes();
  Scratch scratch(room * static_cast<std::size_t>(threads), memory);
  auto count = static_cast<int64_t>(packed.panels.size());
  // A thread that is held up, or has the wider panels, does fewer; a panel that is made is made
  // once, where all threads have one.
  const int64_t grain = packed.room_bytes() > 0 && count >= threads ? pieces : 1;
#pragma omp parallel
  {
    int slot = omp_get_thread_num();
    std::byte* to_room = scratch.data() + room * static_cast<std::size_t>(slot);
    PackedMatrix::State::PanelReader reader(packed, to_room + kPieceBytes + compiled.scratch_bytes);
#pragma omp for schedule(dynamic, grain)
    for (int64_t number = 0; number < count * pieces; ++number) {
      const Panel& panel = packed.panels[static_cast<std::size_t>(number / pieces)];
      int64_t first = number % pieces * kRowUnit, own = std::min(kRowUnit, rows - first);
      auto dst_at = [&](int64_t row) {
        return static_cast<std::byte*>(args.dst) +
               static_cast<std::size_t>(row * packed.out + panel.first) *
                   dtype_size(args.dst_dtype);
      };
      bool fits = own == kRowUnit && args.dst_dtype == DType::kF32 && !has_avx512();
      Kernel* kernel = (number / pieces == count - 1 ? compiled.of_last : compiled.of_panels)[fits];
      kernel->run(slot, {src + static_cast<std::size_t>(first) * src_row, reader.read(panel),
                         args.bias != nullptr ? args.bias + panel.first : nullptr,
                         fits ? dst_at(first) : to_room, to_room + kPieceBytes});
      if (fits) continue;
      kernels::convert_rows({.data = to_room,
                             .dtype = DType::kF32,
                             .rows = own,
                             .columns = panel.width,
                             .stride = panel.width},
                            dst_at(first), args.dst_dtype, packed.out);
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
    bytes = std::max(bytes, whole_lines(kernel.scratch_bytes()));
  }
  Scratch scratch(bytes * static_cast<std::size_t>(threads), state_->memory);
#pragma omp parallel for schedule(dynamic)
  for (int64_t number = 0; number < panels; ++number) {
    int slot = omp_get_thread_num();
    int64_t first = number * kRowUnit;
    compiled[number == panels - 1 ? 1 : 0]->run(
        slot, {from_left + static_cast<std::size_t>(first) * dtype_size(type), from_right, nullptr,
               dst + first * n, scratch.data() + bytes * static_cast<std::size_t>(slot)});
  }
}

}  // namespace inlay::onednn
