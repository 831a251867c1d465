// C3A: Chen et al. 2024, "Parameter-efficient fine-tuning via circular convolution",
// arXiv:2407.19342, eq. (5): dW is made of square blocks, each circulant:
// dW_ij[p, q] = w_ij[(q - p) mod b] / in, so that w_ij is a block's first row.
#include <cmath>
#include <numeric>

#include "adapters/delta_hook.h"
#include "adapters/peft_form.h"
#include "adapters/targeted_method.h"
#include "nn/initializers.h"
#include "tensor/matrix_view.h"

namespace inlay {
namespace {

// Row p of a block is its first row turned by p: from column p on it holds elements 0 to b - p, and
// before it the others. Calls visit(first row, row of the block) for every row of every block, each
// (1, b) within its matrix; blocks in parallel, so that a block's rows come in their order.
template <class T, class Kernels, class Matrix, class Visit>
void for_each_row(const Shape& shape, Kernels kernels, Matrix dense, const Visit& visit) {
  int64_t columns = shape[1], size = shape[2];
#pragma omp parallel for schedule(static)
  for (int64_t block = 0; block < shape[0] * columns; ++block) {
    int64_t top = block / columns * size, left = block % columns * size;
    auto first = kernels.row(block);
    for (int64_t p = 0; p < size; ++p) {
      auto row = dense.row(top + p).segment(left, size);
      visit(first.head(size - p), row.tail(size - p));
      visit(first.tail(p), row.head(p));
    }
  }
}

// The kernels as (blocks, b).
template <class T, class Bytes>
auto kernel_rows(const Shape& shape, Bytes* data) {
  using Matrix = std::conditional_t<std::is_const_v<Bytes>, const RowMajor<T>, RowMajor<T>>;
  return Eigen::Map<Matrix>(data, shape[0] * shape[1], shape[2]);
}

Tensor update(DerivedParameter::Values values) {
  const Shape& shape = values[0].shape();
  Tensor delta = Tensor::empty({shape[0] * shape[2], shape[1] * shape[2]}, values[0].dtype());
  with_real(delta.dtype(), [&](auto zero) {
    using T = decltype(zero);
    T scale = T(1) / static_cast<T>(delta.dim(1));
    for_each_row<T>(shape, kernel_rows<T>(shape, values[0].data<T>()), matrix<T>(delta),
                    [&](auto kernel, auto row) { row = scale * kernel; });
  });
  return delta;
}

std::vector<Tensor> update_backward(DerivedParameter::Values values, const Tensor& grad) {
  const Shape& shape = values[0].shape();
  std::vector<Tensor> grads{Tensor::zeros(shape, values[0].dtype())};
  with_real(grad.dtype(), [&](auto zero) {
    using T = decltype(zero);
    T scale = T(1) / static_cast<T>(grad.dim(1));
    for_each_row<T>(shape, kernel_rows<T>(shape, grads[0].mutable_data<T>()), const_matrix<T>(grad),
                    [&](auto kernel, auto row) { kernel += scale * row; });
  });
  return grads;
}

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
    DerivedParameter& delta = make.derive(
        site.name + ".c3a", {&kernel}, [](auto values) { return update(values); },
        [](auto values, const Tensor& grad) { return update_backward(values, grad); });
    return make_delta_hook(delta, 0, "");
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

const PeftForm& form() {
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
      .peft = &form(),
      .learning_rate = 1e-1,
      .epochs = 3,
      .make = []() -> std::unique_ptr<Method> { return std::make_unique<C3a>(); }};
  return info;
}

}  // namespace inlay
