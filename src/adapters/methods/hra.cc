// HRA: Yuan et al. 2024, "Bridging the gap between low-rank and orthogonal adaptation via
// Householder reflection adaptation", arXiv:2405.17484, eq. (3): W' = W H_1 ... H_r with
// H_k = I - 2 v_k v_k^T, v_k = u_k / |u_k|. The product is I + B A with the rows of A the v_k and
// the columns of B b_k = -2 (v_k + sum_{j<k} (v_j . v_k) b_j), so that the layer reads x + B A x.
// Pairs of equal reflections undo each other: the start is the base up to rounding.
#include "adapters/delta_hook.h"
#include "adapters/peft_form.h"
#include "adapters/targeted_method.h"
#include "autograd/ops/lora.h"
#include "nn/initializers.h"
#include "tensor/matrix_view.h"

namespace inlay {
namespace {

using Matrix = RowMajor<double>;

// All in double: r is small, and what is made here is used in every row of a batch.
Matrix as_double(const Tensor& tensor) { return const_matrix<double>(tensor.to(DType::kF64)); }

Tensor as_tensor(const Matrix& values, DType dtype) {
  Tensor tensor = Tensor::empty({values.rows(), values.cols()}, DType::kF64);
  matrix<double>(tensor) = values;
  return tensor.to(dtype);
}

// The unit vectors as rows (r, in), from u (in, r).
Matrix unit_rows(const Tensor& u) {
  Matrix v = as_double(u).transpose();
  v.rowwise().normalize();
  return v;
}

// The b_k as rows (r, in).
Matrix reflections(const Matrix& v) {
  Matrix b = -2 * v;
  for (int64_t k = 0; k < v.rows(); ++k) {
    for (int64_t j = 0; j < k; ++j) b.row(k) -= 2 * v.row(j).dot(v.row(k)) * b.row(j);
  }
  return b;
}

// The gradient of the v_k from that of the b_k.
Matrix reflections_backward(const Matrix& v, const Matrix& b, Matrix grad_b) {
  Matrix grad_v = Matrix::Zero(v.rows(), v.cols());
  for (int64_t k = v.rows() - 1; k >= 0; --k) {
    grad_v.row(k) -= 2 * grad_b.row(k);
    for (int64_t j = 0; j < k; ++j) {
      grad_b.row(j) -= 2 * v.row(j).dot(v.row(k)) * grad_b.row(k);
      double slope = -2 * b.row(j).dot(grad_b.row(k));
      grad_v.row(j) += slope * v.row(k);
      grad_v.row(k) += slope * v.row(j);
    }
  }
  return grad_v;
}

// v = u / |u|: du = (dv - v (v . dv)) / |u|.
Tensor unit_backward(const Tensor& u, const Matrix& v, const Matrix& grad_v) {
  Matrix columns = as_double(u).transpose(), grad(v.rows(), v.cols());
  for (int64_t k = 0; k < v.rows(); ++k)
    grad.row(k) = (grad_v.row(k) - v.row(k).dot(grad_v.row(k)) * v.row(k)) / columns.row(k).norm();
  return as_tensor(grad.transpose(), u.dtype());
}

class HraHook : public SiteHook {
 public:
  HraHook(DerivedParameter& a, DerivedParameter& b) : a_(a), b_(b) {}

  Variable input(Context& context, const Variable& x) override {
    return lora(context, x, x, a_.current(), b_.current(), 1.0f);
  }

  // W (I + B A)
  bool merge(MergedTensors& merged) override {
    Tensor a = a_.current().value().to(merged.weight.dtype());
    Tensor b = b_.current().value().to(merged.weight.dtype());
    with_real(a.dtype(), [&](auto zero) {
      using T = decltype(zero);
      RowMajor<T> through = const_matrix<T>(merged.weight) * const_matrix<T>(b);
      matrix<T>(merged.weight) += through * const_matrix<T>(a);
    });
    return true;
  }

 private:
  DerivedParameter& a_;
  DerivedParameter& b_;
};

class Hra : public TargetedMethod {
 public:
  void fields(FieldVisitor& visit) override {
    visit("r", r_, "number of reflections, even");
    target_fields(visit);
  }

  std::unique_ptr<SiteHook> attach(const Site& site, ParameterMaker& make) const override {
    Parameter& u = make.make(site, "hra_u", start(site, make));
    DerivedParameter& a = make.derive(
        site.name + ".hra_a", {&u},
        [](auto values) { return as_tensor(unit_rows(values[0]), values[0].dtype()); },
        [](auto values, const Tensor& grad) {
          Matrix v = unit_rows(values[0]);
          return std::vector<Tensor>{unit_backward(values[0], v, as_double(grad))};
        });
    DerivedParameter& b = make.derive(
        site.name + ".hra_b", {&u},
        [](auto values) {
          return as_tensor(reflections(unit_rows(values[0])).transpose(), values[0].dtype());
        },
        [](auto values, const Tensor& grad) {
          Matrix v = unit_rows(values[0]);
          Matrix grad_v = reflections_backward(v, reflections(v), as_double(grad).transpose());
          return std::vector<Tensor>{unit_backward(values[0], v, grad_v)};
        });
    return std::make_unique<HraHook>(a, b);
  }

  bool identity_at_start() const override { return false; }

 protected:
  void check_site(const Site& site) const override {
    require(r_ >= 2 && r_ % 2 == 0 && r_ <= site.in, ErrorKind::kUsage,
            "hra: r is {} at {} with {} inputs; expected an even number from 2 to {}", r_,
            site.name, site.in, site.in);
  }

 private:
  // Columns in equal pairs.
  Tensor start(const Site& site, const ParameterMaker& make) const {
    Tensor half = kaiming_uniform_init({r_ / 2, site.in}, make.stream(site, "hra_u"));
    Tensor u = Tensor::empty({site.in, r_}, DType::kF32);
    for (int64_t k = 0; k < r_; ++k)
      matrix<float>(u).col(k) = const_matrix<float>(half).row(k / 2).transpose();
    return u;
  }

  int64_t r_ = 8;
};

const PeftForm& form() {
  static const PeftForm form{.type = "HRA",
                             .keys = {{"r", 8, "r"},
                                      {"apply_GS", false, PeftKey::kFixed},
                                      {"bias", "none", PeftKey::kFixed},
                                      {"init_weights", true, PeftKey::kNoMatter}}};
  return form;
}

}  // namespace

const MethodInfo& method_hra() {
  static const MethodInfo info{
      .name = "hra",
      .summary = "Reflects what a linear layer reads, r times.",
      .citation = "arXiv:2405.17484",
      .example = "hra[r=4]",
      .format = AdapterFormat::kPeft,
      .peft = &form(),
      .learning_rate = 1e-3,
      .epochs = 3,
      .make = []() -> std::unique_ptr<Method> { return std::make_unique<Hra>(); }};
  return info;
}

}  // namespace inlay
