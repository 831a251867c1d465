// C3A: Chen et al. 2024, "Parameter-efficient fine-tuning via circular convolution",
// arXiv:2407.19342, eq. (5): dW is made of square blocks, each circulant:
// dW_ij[p, q] = w_ij[(q - p) mod b] / in, so that w_ij is a block's first row.
#include <cmath>
#include <numeric>

#include "adapters/delta_hook.h"
#include "adapters/peft_form.h"
#include "adapters/targeted_method.h"
#include "autograd/ops/add.h"
#include "autograd/ops/halves.h"
#include "autograd/ops/linear.h"
#include "nn/initializers.h"
#include "tensor/matrix_view.h"

namespace inlay {
namespace {

// dW, or a half of it: a circulant block of even size b is [P Q; Q P], so sums of the halves of
// what a layer reads meet P + Q alone and differences P - Q: two products of half the size for one.
enum class Part { kWhole, kSums, kDifferences };

// A block's first row is its kernel w, or w_1 + w_2 or w_1 - w_2 of its halves; row p is that
// turned by p, where what wraps around changes its sign in a difference.
struct Circulant {
  int64_t rows, columns, size;  // blocks and their size
  double sign;                  // of what wraps around, and of w_2
  double scale;

  Circulant(const Shape& kernel, Part part)
      : rows(kernel[0]),
        columns(kernel[1]),
        size(part == Part::kWhole ? kernel[2] : kernel[2] / 2),
        sign(part == Part::kDifferences ? -1 : 1),
        scale(1.0 / static_cast<double>(kernel[1] * kernel[2])) {}
};

// Calls visit(stretch of the first row, stretch of the row of the matrix, factor) for the two
// stretches of every row. Blocks in parallel: a block's rows come in their order.
template <class T, class Firsts, class Dense, class Visit>
void for_each_stretch(const Circulant& blocks, Firsts&& firsts, Dense&& dense, const Visit& visit) {
  auto scale = static_cast<T>(blocks.scale), wrapped = static_cast<T>(blocks.scale * blocks.sign);
#pragma omp parallel for schedule(static)
  for (int64_t block = 0; block < blocks.rows * blocks.columns; ++block) {
    int64_t top = block / blocks.columns * blocks.size, left = block % blocks.columns * blocks.size;
    auto first = firsts.row(block);
    for (int64_t p = 0; p < blocks.size; ++p) {
      auto row = dense.row(top + p).segment(left, blocks.size);
      visit(first.head(blocks.size - p), row.tail(blocks.size - p), scale);
      visit(first.tail(p), row.head(p), wrapped);
    }
  }
}

Tensor update(const Tensor& kernel, Part part) {
  Circulant blocks(kernel.shape(), part);
  Tensor dense =
      Tensor::empty({blocks.rows * blocks.size, blocks.columns * blocks.size}, kernel.dtype());
  with_real(dense.dtype(), [&](auto zero) {
    using T = decltype(zero);
    Eigen::Map<const RowMajor<T>> w(kernel.data<T>(), blocks.rows * blocks.columns, kernel.dim(2));
    RowMajor<T> firsts = w.leftCols(blocks.size);
    if (part != Part::kWhole) firsts += static_cast<T>(blocks.sign) * w.rightCols(blocks.size);
    for_each_stretch<T>(blocks, firsts, matrix<T>(dense),
                        [](auto first, auto row, T factor) { row = factor * first; });
  });
  return dense;
}

Tensor update_backward(const Tensor& kernel, const Tensor& grad, Part part) {
  Circulant blocks(kernel.shape(), part);
  Tensor result = Tensor::empty(kernel.shape(), kernel.dtype());
  with_real(grad.dtype(), [&](auto zero) {
    using T = decltype(zero);
    RowMajor<T> firsts = RowMajor<T>::Zero(blocks.rows * blocks.columns, blocks.size);
    for_each_stretch<T>(blocks, firsts, const_matrix<T>(grad),
                        [](auto first, auto row, T factor) { first += factor * row; });
    Eigen::Map<RowMajor<T>> w(result.mutable_data<T>(), firsts.rows(), kernel.dim(2));
    w.leftCols(blocks.size) = firsts;
    if (part != Part::kWhole) w.rightCols(blocks.size) = static_cast<T>(blocks.sign) * firsts;
  });
  return result;
}

DerivedParameter& derived(const Site& site, ParameterMaker& make, Parameter& kernel, Part part,
                          const char* name) {
  return make.derive(
      site.name + ".c3a." + name, {&kernel},
      [part](auto values) { return update(values[0], part); },
      [part](auto values, const Tensor& grad) {
        return std::vector<Tensor>{update_backward(values[0], grad, part)};
      });
}

class HalvesHook : public SiteHook {
 public:
  HalvesHook(Parameter& kernel, DerivedParameter& sums, DerivedParameter& differences)
      : kernel_(kernel), sums_(sums), differences_(differences) {}

  Variable linear(Context& context, const LinearSite&, const Variable& x, Variable y) override {
    int64_t block = kernel_.shape()[2];
    auto half = [&](DerivedParameter& weight, double sign) {
      return inlay::linear(context, combine_halves(context, x, block, sign),
                           {.weight = &weight.current()}, Precision::kFull);
    };
    Variable sums = half(sums_, 1), differences = half(differences_, -1);
    return add(context, y, join_halves(context, sums, differences, block));
  }

  bool merge(MergedTensors& merged) override {
    merge_delta(merged, update(kernel_.value(), Part::kWhole));
    return true;
  }

 private:
  Parameter& kernel_;
  DerivedParameter& sums_;
  DerivedParameter& differences_;
};

class C3a : public TargetedMethod {
 public:
  void fields(FieldVisitor& visit) override {
    visit("block_size", block_size_,
          "size of the circulant blocks: a divisor of inputs and outputs");
    visit.choice("init_weights", init_, {"zeros", "gaussian", "kaiming_uniform", "xavier_uniform"},
                 "how the kernels start; only zeros starts as the unchanged base");
    target_fields(visit);
  }

  std::unique_ptr<SiteHook> attach(const Site& site, ParameterMaker& make) const override {
    Shape shape{site.out / block_size_, site.in / block_size_, block_size_};
    Parameter& kernel =
        make.make(site, "c3a_kernel", start(shape, make.stream(site, "c3a_kernel")));
    if (block_size_ % 2 != 0)
      return make_delta_hook(derived(site, make, kernel, Part::kWhole, "whole"), 0, "");
    return std::make_unique<HalvesHook>(
        kernel, derived(site, make, kernel, Part::kSums, "sums"),
        derived(site, make, kernel, Part::kDifferences, "differences"));
  }

  bool identity_at_start() const override { return init_ == "zeros"; }
  int64_t gradient_chunk() const override { return 4; }

 protected:
  void check_site(const Site& site) const override {
    require(block_size_ >= 1 && site.in % block_size_ == 0 && site.out % block_size_ == 0,
            ErrorKind::kUsage,
            "c3a: block_size {} does not divide both the {} inputs and the {} outputs of {}; use a "
            "divisor of {}",
            block_size_, site.in, site.out, site.name, std::gcd(site.in, site.out));
  }

 private:
  // Of a kernel as a matrix (out / b, in / b) of vectors, as PyTorch counts its fans.
  Tensor start(const Shape& shape, const Stream& stream) const {
    double in = static_cast<double>(shape[1] * shape[2]);
    double out = static_cast<double>(shape[0] * shape[2]);
    if (init_ == "gaussian") return normal_init(shape, 1.0f, stream);
    if (init_ == "kaiming_uniform")
      return uniform_init(shape, static_cast<float>(std::sqrt(6 / in)), stream);
    if (init_ == "xavier_uniform")
      return uniform_init(shape, static_cast<float>(std::sqrt(6 / (in + out))), stream);
    return Tensor::zeros(shape, DType::kF32);
  }

  int64_t block_size_ = 128;
  std::string init_ = "zeros";
};

void write_start(const Json& fields, const SiteSet&, Json& config) {
  const Json& start = fields.at("init_weights");
  config["init_weights"] = start == "zeros" ? Json(true) : start;
}
// How a kernel started does not matter to trained values.
void read_start(const Json& config, const SiteSet&, const std::string&, Json& fields) {
  Json start = config.value("init_weights", Json(true));
  bool named = start.is_string() && (start.get<std::string>() == "gaussian" ||
                                     start.get<std::string>() == "kaiming_uniform" ||
                                     start.get<std::string>() == "xavier_uniform");
  fields["init_weights"] = named ? start : Json("zeros");
}

const PeftForm& c3a_form() {
  static const PeftForm form{.type = "C3A",
                             .keys = {{"block_size", 256, "block_size"},
                                      {"block_size_pattern", Json::object(), PeftKey::kFixed},
                                      {"bias", "none", PeftKey::kFixed},
                                      {"init_weights", "xavier_uniform", PeftKey::kCustom}},
                             .write = write_start,
                             .read = read_start};
  return form;
}

}  // namespace

const MethodInfo& method_c3a() {
  static const MethodInfo info{
      .name = "c3a",
      .summary = "Adds circular convolutions to linear layers.",
      .citation = "arXiv:2407.19342",
      .example = "c3a[block_size=8]",
      .format = AdapterFormat::kPeft,
      .peft = &c3a_form(),
      .learning_rate = 1e-1,
      .epochs = 3,
      .make = []() -> std::unique_ptr<Method> { return std::make_unique<C3a>(); }};
  return info;
}

}  // namespace inlay
