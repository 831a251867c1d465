// HRA: Yuan et al. 2024, "Bridging the gap between low-rank and orthogonal adaptation via
// Householder reflection adaptation", arXiv:2405.17484, eq. (3): W' = W H_1 ... H_r with
// H_k = I - 2 v_k v_k^T, v_k = u_k / |u_k|; the layer reads x H_r ... H_1. Reflections start in
// equal pairs, which undo each other.
//
// So that a fresh adapter is the base bit for bit, a pair is written with its first vector v and
// the difference d to its second: two reflections are I - V^T M V with rows v and d of V, q = d . d
// and M = [2q, 2q - 2; 2, 2]. All of them together are I - V^T N V, N block-triangular as in the
// compact WY form: N^-1 has the M^-1 = [1/2, (1 - q) / 2; -1/2, q / 2] on its diagonal and V V^T
// above it. With d = 0 either the row of V or the column of V^T N is zero. The layer reads x + x
// A^T B^T with A = V and B = -V^T N.
#include <algorithm>

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

// Rows v and d of every pair, and a last row v for an odd number, from u (in, r).
Matrix pair_rows(const Tensor& u) {
  Matrix rows = as_double(u).transpose();
  rows.rowwise().normalize();
  for (int64_t k = 0; k + 1 < rows.rows(); k += 2) rows.row(k + 1) -= rows.row(k);
  return rows;
}

// v = u / |u|: du = (dv - v (v . dv)) / |u|.
Tensor pair_rows_backward(const Tensor& u, Matrix grad) {
  Matrix lines = as_double(u).transpose();
  for (int64_t k = 0; k + 1 < grad.rows(); k += 2) grad.row(k) -= grad.row(k + 1);
  for (int64_t k = 0; k < grad.rows(); ++k) {
    double length = lines.row(k).norm();
    lines.row(k) /= length;
    grad.row(k) = (grad.row(k) - lines.row(k).dot(grad.row(k)) * lines.row(k)) / length;
  }
  return as_tensor(grad.transpose(), u.dtype());
}

// N, pair by pair: above M of a pair stands -N' C M with N' of the pairs before, C their rows times
// the pair's.
Matrix middle(const Matrix& v) {
  Matrix n = Matrix::Zero(v.rows(), v.rows());
  for (int64_t k = 0; k < v.rows(); k += 2) {
    int64_t size = std::min<int64_t>(2, v.rows() - k);
    Matrix m = Matrix::Constant(size, size, 2);
    if (size == 2) {
      double q = v.row(k + 1).squaredNorm();
      m(0, 0) = 2 * q;
      m(0, 1) = 2 * q - 2;
    }
    n.block(k, k, size, size) = m;
    if (k == 0) continue;
    Matrix c = v.topRows(k) * v.middleRows(k, size).transpose();
    n.block(0, k, k, size) = -(n.topLeftCorner(k, k) * (c * m));
  }
  return n;
}

// B^T = -N^T V.
Matrix reflections(const Matrix& v) { return -(middle(v).transpose() * v); }

// The gradient of V; that of N goes through its inverse X: dX = -N^T dN N^T.
Matrix reflections_backward(const Matrix& v, const Matrix& grad) {
  Matrix n = middle(v);
  Matrix grad_v = -(n * grad);
  Matrix grad_x = n.transpose() * (v * grad.transpose()) * n.transpose();
  for (int64_t k = 0; k < v.rows(); ++k) {
    for (int64_t j = 0; j / 2 < k / 2; ++j) {
      grad_v.row(j) += grad_x(j, k) * v.row(k);
      grad_v.row(k) += grad_x(j, k) * v.row(j);
    }
    if (k % 2 == 1) grad_v.row(k) += (grad_x(k, k) - grad_x(k - 1, k)) * v.row(k);
  }
  return grad_v;
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
    visit("r", r_, "number of reflections; an even one starts as the unchanged base");
    target_fields(visit);
  }

  std::unique_ptr<SiteHook> attach(const Site& site, ParameterMaker& make) const override {
    Parameter& u = make.make(site, "hra_u", start(site, make));
    DerivedParameter& a = make.derive(
        site.name + ".hra_a", {&u},
        [](auto values) { return as_tensor(pair_rows(values[0]), values[0].dtype()); },
        [](auto values, const Tensor& grad) {
          return std::vector<Tensor>{pair_rows_backward(values[0], as_double(grad))};
        });
    DerivedParameter& b = make.derive(
        site.name + ".hra_b", {&a.parameter()},
        [](auto values) {
          return as_tensor(reflections(as_double(values[0])).transpose(), values[0].dtype());
        },
        [](auto values, const Tensor& grad) {
          Matrix rows = as_double(grad).transpose();
          return std::vector<Tensor>{
              as_tensor(reflections_backward(as_double(values[0]), rows), grad.dtype())};
        });
    return std::make_unique<HraHook>(a, b);
  }

  bool identity_at_start() const override { return r_ % 2 == 0; }

 protected:
  void check_site(const Site& site) const override {
    require(r_ >= 1 && r_ <= site.in, ErrorKind::kUsage,
            "hra: r is {} at {} with {} inputs; expected 1 to {}", r_, site.name, site.in, site.in);
  }

 private:
  // Columns in equal pairs; a last one alone.
  Tensor start(const Site& site, const ParameterMaker& make) const {
    Tensor half = kaiming_uniform_init({(r_ + 1) / 2, site.in}, make.stream(site, "hra_u"));
    Tensor u = Tensor::empty({site.in, r_}, DType::kF32);
    for (int64_t k = 0; k < r_; ++k)
      matrix<float>(u).col(k) = const_matrix<float>(half).row(k / 2).transpose();
    return u;
  }

  int64_t r_ = 8;
};

const PeftForm& hra_form() {
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
      .peft = &hra_form(),
      .learning_rate = 1e-3,
      .epochs = 3,
      .make = []() -> std::unique_ptr<Method> { return std::make_unique<Hra>(); }};
  return info;
}

}  // namespace inlay
