#include "tensor/onednn/packed_matrix.h"

#include <algorithm>

#include "tensor/onednn/packed_matrix_state.h"

namespace inlay::onednn {
namespace {

constexpr int64_t kPanelBytes = 4 << 20;  // that are made of a stored matrix, for each thread
constexpr int64_t kColumnUnit = 32;

// The layout the kernel prefers; it is the same for every row count up to kMaxRows.
Desc preferred_layout(int64_t in, int64_t out, DType compute) {
  Desc any(Dims{in, out}, element_type(compute), dnnl::memory::format_tag::any);
  dnnl::matmul::desc op(row_major(1024, in, compute), any, row_major(1024, out, DType::kF32));
  return dnnl::matmul::primitive_desc(op, cpu_engine()).weights_desc();
}

// With AVX-512 one panel, in the layout the kernel prefers; elsewhere row-major ones so narrow that
// they stay in the cache while rows pass them by.
std::vector<Panel> panels_of(int64_t in, int64_t out, DType compute) {
  if (has_avx512()) {
    return {{0, out, PanelOrder::kPreferred, preferred_layout(in, out, compute), 0, 0}};
  }
  std::vector<Panel> panels;
  std::size_t offset = 0;
  for (int64_t first = 0; first < out; first += kPanelColumns) {
    int64_t width = std::min(kPanelColumns, out - first);
    Desc desc = row_major(in, width, multiplied(compute));
    panels.push_back({first, width, PanelOrder::kRows, desc, offset, width});
    offset += whole_lines(desc.get_size());
  }
  return panels;
}

// Of a stored matrix, on any processor: narrower where kPanelBytes would not hold them. What is
// stored (out, in) is multiplied as it comes, without being transposed; `row_stride` is from one
// row of what is stored (in, out) to the next, where panels are read in place.
std::vector<Panel> stored_panels(int64_t in, int64_t out, Layout layout, DType type,
                                 std::optional<int64_t> row_stride) {
  int64_t row = std::max<int64_t>(in, 1) * static_cast<int64_t>(dtype_size(type));
  int64_t columns =
      std::clamp(kPanelBytes / row / kColumnUnit * kColumnUnit, kColumnUnit, kPanelColumns);
  bool out_in = layout == Layout::kOutIn;
  std::vector<Panel> panels;
  for (int64_t first = 0; first < out; first += columns) {
    int64_t width = std::min(columns, out - first);
    int64_t stride = out_in ? in : row_stride.value_or(width);
    Desc desc(Dims{in, width}, element_type(type), out_in ? Dims{1, stride} : Dims{stride, 1});
    panels.push_back(
        {first, width, out_in ? PanelOrder::kColumns : PanelOrder::kRows, desc, 0, stride});
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

}  // namespace

std::size_t packed_number_bytes(DType compute) { return dtype_size(multiplied(compute)); }

PackedMatrix::PackedMatrix() = default;
PackedMatrix::~PackedMatrix() = default;
PackedMatrix::PackedMatrix(PackedMatrix&&) noexcept = default;
PackedMatrix& PackedMatrix::operator=(PackedMatrix&&) noexcept = default;

int64_t PackedMatrix::in() const { return state_->in; }
int64_t PackedMatrix::out() const { return state_->out; }
DType PackedMatrix::compute() const { return state_->compute; }
std::size_t PackedMatrix::bytes() const { return state_->source ? 0 : state_->memory.byte_count(); }

PackedMatrix PackedMatrix::pack(const Tensor& weight, Layout layout, DType compute) {
  ensure(weight.shape().rank() == 2, "a weight of shape {} cannot be packed",
         weight.shape().text());
  bool out_in = layout == Layout::kOutIn;
  int64_t in = weight.dim(out_in ? 1 : 0);
  int64_t out = weight.dim(out_in ? 0 : 1);
  Tensor source = packable(weight, compute);
  PackedMatrix packed;
  packed.state_ = std::make_unique<State>(State{
      in, out, compute, panels_of(in, out, compute), Tensor(), layout, source.dtype(), {}, {}});
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

PackedMatrix PackedMatrix::over_stored(StoredMatrix source, Layout layout, DType compute) {
  bool out_in = layout == Layout::kOutIn;
  int64_t in = out_in ? source.columns() : source.rows();
  int64_t out = out_in ? source.rows() : source.columns();
  DType type = multiplied(compute);
  PackedMatrix matrix;
  matrix.state_ = std::make_unique<State>(
      State{in, out, compute, {}, Tensor(), layout, type, {}, std::move(source)});
  State& state = *matrix.state_;
  std::optional<int64_t> row_stride;
  if (state.in_place()) row_stride = out;
  state.panels = stored_panels(in, out, layout, type, row_stride);
  return matrix;
}

PackedMatrix PackedMatrix::over(const QuantisedMatrix& weight, Layout layout, DType compute) {
  return over_stored(StoredMatrix(weight), layout, compute);
}

PackedMatrix PackedMatrix::over(const Tensor& weight, Layout layout, DType compute) {
  ensure(weight.shape().rank() == 2, "a weight of shape {} cannot be multiplied by",
         weight.shape().text());
  return over_stored(StoredMatrix(weight), layout, compute);
}

void PackedMatrix::repack(const Tensor& weight) {
  ensure(!state_->source, "a weight that is read as it is stored is not packed");
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

namespace {

// The columns of W that a panel has, as what is stored.
MatrixPart part_of(const Panel& panel, const StoredMatrix& matrix, Layout layout) {
  int64_t last = panel.first + panel.width;
  if (layout == Layout::kOutIn) return {panel.first, last, 0, matrix.columns()};
  return {0, matrix.rows(), panel.first, last};
}

}  // namespace

std::size_t PackedMatrix::State::room_bytes() const {
  if (!source || in_place()) return 0;
  std::size_t bytes = whole_lines(panels.front().desc.get_size());
  if (!source->rounds(multiplied(compute), compute)) return bytes;
  int64_t width = layout == Layout::kOutIn ? in : panels.front().width;
  return bytes + whole_lines(StoredMatrix::narrow_bytes(width));
}

void PackedMatrix::State::make_panel(const Panel& panel, std::byte* room) const {
  source->read(part_of(panel, *source, layout),
               {.data = room,
                .type = multiplied(compute),
                .by_way_of = compute,
                .narrow = room + whole_lines(panels.front().desc.get_size())});
}

}  // namespace inlay::onednn
