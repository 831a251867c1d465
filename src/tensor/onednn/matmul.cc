#include "tensor/onednn/matmul.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <oneapi/dnnl/dnnl.hpp>
#include <span>
#include <tuple>

#include "tensor/onednn/cpu_engine.h"

namespace inlay::onednn {
namespace {

using Dims = dnnl::memory::dims;
using Desc = dnnl::memory::desc;

constexpr int64_t kMaxRows = 2048;

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

Desc row_major(int64_t rows, int64_t columns, DType dtype) {
  return Desc(Dims{rows, columns}, element_type(dtype), dnnl::memory::format_tag::ab);
}

// The transpose of a stored (columns, rows) matrix, seen as (rows, columns).
Desc transposed(int64_t rows, int64_t columns, DType dtype) {
  return Desc(Dims{rows, columns}, element_type(dtype), dnnl::memory::format_tag::ba);
}

dnnl::primitive_attr user_scratchpad() {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attributes;
}

// The layout the kernel prefers; it is the same for every row count up to kMaxRows.
Desc preferred_layout(int64_t in, int64_t out, DType compute) {
  Desc any(Dims{in, out}, element_type(compute), dnnl::memory::format_tag::any);
  dnnl::matmul::desc op(row_major(1024, in, compute), any, row_major(1024, out, DType::kF32));
  return dnnl::matmul::primitive_desc(op, cpu_engine()).weights_desc();
}

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
void execute(const dnnl::primitive& primitive, const dnnl::stream& stream,
             std::span<const dnnl_exec_arg_t> arguments) {
  ensure(dnnl_primitive_execute(primitive.get(), stream.get(), static_cast<int>(arguments.size()),
                                arguments.data()) == dnnl_success,
         "a matrix product or its packing failed");
}

// A compiled product with memory objects whose pointers are set before each run.
struct Kernel {
  dnnl::matmul primitive;
  dnnl::memory src, weights, bias, dst, scratchpad;
  std::size_t scratchpad_bytes = 0;
  bool has_bias = false;

  Kernel(const Desc& src_desc, const Desc& weights_desc, const Desc& dst_desc,
         const Desc* bias_desc) {
    auto op = bias_desc != nullptr
                  ? dnnl::matmul::desc(src_desc, weights_desc, *bias_desc, dst_desc)
                  : dnnl::matmul::desc(src_desc, weights_desc, dst_desc);
    dnnl::matmul::primitive_desc description(op, user_scratchpad(), cpu_engine());
    primitive = dnnl::matmul(description);
    src = dnnl::memory(src_desc, cpu_engine(), nullptr);
    weights = dnnl::memory(weights_desc, cpu_engine(), nullptr);
    dst = dnnl::memory(dst_desc, cpu_engine(), nullptr);
    scratchpad = dnnl::memory(description.scratchpad_desc(), cpu_engine(), nullptr);
    scratchpad_bytes = description.scratchpad_desc().get_size();
    has_bias = bias_desc != nullptr;
    if (has_bias) bias = dnnl::memory(*bias_desc, cpu_engine(), nullptr);
  }

  void run(const dnnl::stream& stream, const void* src_data, const void* weights_data,
           const float* bias_data, void* dst_data, std::pmr::memory_resource* memory) {
    Scratch scratch(scratchpad_bytes, memory);
    src.set_data_handle(const_cast<void*>(src_data));
    weights.set_data_handle(const_cast<void*>(weights_data));
    dst.set_data_handle(dst_data);
    scratchpad.set_data_handle(scratch.data());
    std::array<dnnl_exec_arg_t, 5> arguments{{{DNNL_ARG_SRC, src.get()},
                                              {DNNL_ARG_WEIGHTS, weights.get()},
                                              {DNNL_ARG_DST, dst.get()},
                                              {DNNL_ARG_SCRATCHPAD, scratchpad.get()},
                                              {DNNL_ARG_BIAS, nullptr}}};
    if (has_bias) {
      bias.set_data_handle(const_cast<float*>(bias_data));
      arguments[4].memory = bias.get();
    }
    execute(primitive, stream, std::span(arguments).first(has_bias ? 5 : 4));
  }
};

// The weight in a type that oneDNN's packing reads.
Tensor packable(const Tensor& weight) {
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
  Desc desc;
  Tensor memory;  // bytes in the blocked layout
  Layout layout;
  DType stored;                      // of the weight that is packed
  std::unique_ptr<Packing> packing;  // of a weight that is packed again and again

  Packing make_packing() const {
    return {layout == Layout::kOutIn ? transposed(in, out, stored) : row_major(in, out, stored),
            desc};
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
  Tensor source = packable(weight);
  PackedMatrix packed;
  packed.state_ =
      std::make_unique<State>(State{in, out, compute, preferred_layout(in, out, compute), Tensor(),
                                    layout, source.dtype(), nullptr});
  State& state = *packed.state_;
  state.memory = Tensor::empty({static_cast<int64_t>(state.desc.get_size())}, DType::kU8);
  state.make_packing().run(source.raw(), state.memory.mutable_raw());
  return packed;
}

void PackedMatrix::repack(const Tensor& weight) {
  Tensor source = packable(weight);
  ensure(source.dtype() == state_->stored, "a {} weight was packed as {} before",
         dtype_name(source.dtype()), dtype_name(state_->stored));
  if (state_->packing == nullptr)
    state_->packing = std::make_unique<Packing>(state_->make_packing());
  state_->packing->run(source.raw(), state_->memory.mutable_raw());
}

struct Runtime::State {
  // rows, in, out, compute, dst dtype, bias
  using MatmulKey = std::tuple<int64_t, int64_t, int64_t, DType, DType, bool>;
  using TransposedKey = std::tuple<int64_t, int64_t, int64_t, DType>;

  std::pmr::memory_resource* memory;
  dnnl::stream stream{cpu_engine()};
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

void Runtime::matmul(const MatmulArgs& args, const PackedMatrix& weight) {
  const PackedMatrix::State& packed = *weight.state_;
  std::size_t src_row = static_cast<std::size_t>(packed.in) * dtype_size(packed.compute);
  std::size_t dst_row = static_cast<std::size_t>(packed.out) * dtype_size(args.dst_dtype);
  const auto* src = static_cast<const std::byte*>(args.src);
  auto* dst = static_cast<std::byte*>(args.dst);

  auto run = [&](const std::byte* from, std::byte* to, int64_t rows) {
    State::MatmulKey key{rows,           packed.in,      packed.out,
                         packed.compute, args.dst_dtype, args.bias != nullptr};
    auto found = state_->matmuls.find(key);
    if (found == state_->matmuls.end()) {
      Desc bias_desc(Dims{1, packed.out}, dnnl::memory::data_type::f32,
                     dnnl::memory::format_tag::ab);
      Kernel kernel(row_major(rows, packed.in, packed.compute), packed.desc,
                    row_major(rows, packed.out, args.dst_dtype),
                    args.bias != nullptr ? &bias_desc : nullptr);
      found = state_->matmuls.emplace(key, std::move(kernel)).first;
    }
    found->second.run(state_->stream, from, packed.memory.raw(), args.bias, to, state_->memory);
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
  Scratch from(kRowUnit * src_row, state_->memory);
  Scratch to(kRowUnit * dst_row, state_->memory);
  std::memcpy(from.data(), src + static_cast<std::size_t>(done) * src_row, rest * src_row);
  std::memset(from.data() + rest * src_row, 0, (kRowUnit - rest) * src_row);
  run(from.data(), to.data(), kRowUnit);
  std::memcpy(dst + static_cast<std::size_t>(done) * dst_row, to.data(), rest * dst_row);
}

void Runtime::matmul_transposed(const void* left, const void* right, DType dtype, int64_t k,
                                int64_t m, int64_t n, float* dst) {
  int64_t padded = (k + kRowUnit - 1) / kRowUnit * kRowUnit;
  State::TransposedKey key{padded, m, n, dtype};
  auto found = state_->transposed_matmuls.find(key);
  if (found == state_->transposed_matmuls.end()) {
    Kernel kernel(transposed(m, padded, dtype), row_major(padded, n, dtype),
                  row_major(m, n, DType::kF32), nullptr);
    found = state_->transposed_matmuls.emplace(key, std::move(kernel)).first;
  }
  auto pad = [&](const void* rows, int64_t columns, const Scratch& scratch) -> const void* {
    if (padded == k) return rows;
    std::size_t row = static_cast<std::size_t>(columns) * dtype_size(dtype);
    std::memcpy(scratch.data(), rows, static_cast<std::size_t>(k) * row);
    std::memset(scratch.data() + static_cast<std::size_t>(k) * row, 0,
                static_cast<std::size_t>(padded - k) * row);
    return scratch.data();
  };
  std::size_t element = padded == k ? 0 : static_cast<std::size_t>(padded) * dtype_size(dtype);
  Scratch left_scratch(element * static_cast<std::size_t>(m), state_->memory);
  Scratch right_scratch(element * static_cast<std::size_t>(n), state_->memory);
  found->second.run(state_->stream, pad(left, m, left_scratch), pad(right, n, right_scratch),
                    nullptr, dst, state_->memory);
}

}  // namespace inlay::onednn
