// OFT: Qiu et al. 2023, arXiv:2306.07280, in the form that turns inputs, Qiu et al. 2025, "OFTv2",
// arXiv:2506.19847: every block of the row vector x becomes x_i R_i before the layer reads it, with
// R_i orthogonal, made from a skew-symmetric Q_i = U_i - U_i^T whose upper triangle is trained.
// use_cayley_neumann: R = I + 2Q + 2Q^2 + 2Q^3 + Q^4; without it R = (I - Q)(I + Q)^-1, which is
// the transposed rotation: the flag is part of what the numbers mean. coft keeps each |Q_i| within
// eps / sqrt(number of Q_i), as PEFT does: a larger one is shortened to that.
#include <cmath>
#include <numbers>

#include "adapters/peft_form.h"
#include "adapters/rotation.h"
#include "adapters/targeted_method.h"
#include "autograd/ops/block_linear.h"

namespace inlay {
namespace {

struct Blocks {
  int64_t count, size;
  bool shared, series;
  double limit;  // of |Q|; 0: none

  int64_t triangle(int64_t block) const { return shared ? 0 : block; }
};

template <class T>
using Triangle = Eigen::Matrix<T, 1, Eigen::Dynamic>;

// What a triangle is shortened by: |Q| is sqrt(2) times its length.
template <class T>
T shortening(const Triangle<T>& triangle, double limit) {
  T norm = triangle.norm() * static_cast<T>(std::numbers::sqrt2), most = static_cast<T>(limit);
  return most > 0 && norm > most ? most / norm : T(1);
}

// The strict upper triangle, row by row, as a skew-symmetric matrix.
template <class T>
RowMajor<T> skew_of(const T* triangle, int64_t size) {
  RowMajor<T> q = RowMajor<T>::Zero(size, size);
  for (int64_t i = 0; i < size; ++i) {
    for (int64_t j = i + 1; j < size; ++j) {
      q(i, j) = *triangle;
      q(j, i) = -*triangle++;
    }
  }
  return q;
}

template <class T>
RowMajor<T> skew_at(const Tensor& triangles, const Blocks& blocks, int64_t block) {
  Triangle<T> triangle = const_matrix<T>(triangles).row(blocks.triangle(block));
  triangle *= shortening(triangle, blocks.limit);
  return skew_of(triangle.data(), blocks.size);
}

Tensor rotations(const Tensor& triangles, const Blocks& blocks) {
  Tensor all = Tensor::empty({blocks.count * blocks.size, blocks.size}, triangles.dtype());
  with_real(all.dtype(), [&](auto zero) {
    using T = decltype(zero);
    for (int64_t i = 0; i < blocks.count; ++i) {
      RowMajor<T> q = skew_at<T>(triangles, blocks, i);
      matrix<T>(all).middleRows(i * blocks.size, blocks.size) =
          blocks.series ? cayley_series<T>(q) : cayley<T>(q);
    }
  });
  return all;
}

// The gradient of a triangle from that of the shortened one.
template <class T>
Triangle<T> shortened_backward(const Triangle<T>& triangle, Triangle<T> grad, double limit) {
  T factor = shortening(triangle, limit);
  if (factor == T(1)) return grad;
  Triangle<T> direction = triangle.normalized();
  grad -= direction.dot(grad) * direction;
  return factor * grad;
}

Tensor rotations_backward(const Tensor& triangles, const Tensor& grad, const Blocks& blocks) {
  Tensor result = Tensor::zeros(triangles.shape(), triangles.dtype());
  with_real(grad.dtype(), [&](auto zero) {
    using T = decltype(zero);
    for (int64_t i = 0; i < blocks.count; ++i) {
      RowMajor<T> q = skew_at<T>(triangles, blocks, i);
      RowMajor<T> seed = const_matrix<T>(grad).middleRows(i * blocks.size, blocks.size);
      RowMajor<T> dq =
          blocks.series ? cayley_series_backward<T>(q, seed) : cayley_backward<T>(q, seed);
      Triangle<T> upper(triangles.dim(1));
      int64_t at = 0;
      for (int64_t row = 0; row < blocks.size; ++row) {
        for (int64_t column = row + 1; column < blocks.size; ++column)
          upper[at++] = dq(row, column) - dq(column, row);
      }
      Triangle<T> triangle = const_matrix<T>(triangles).row(blocks.triangle(i));
      matrix<T>(result).row(blocks.triangle(i)) +=
          shortened_backward(triangle, upper, blocks.limit);
    }
  });
  return result;
}

class OftHook : public SiteHook {
 public:
  explicit OftHook(DerivedParameter& blocks) : blocks_(blocks) {}

  Variable input(Context& context, const Variable& x) override {
    return block_linear(context, x, blocks_.current());
  }

  // (x R) W^T = x (W R^T)^T
  bool merge(MergedTensors& merged) override {
    Tensor blocks = blocks_.current().value().to(merged.weight.dtype());
    with_real(blocks.dtype(), [&](auto zero) {
      using T = decltype(zero);
      int64_t size = blocks.dim(1);
      for (int64_t first = 0; first < blocks.dim(0); first += size) {
        RowMajor<T> turned = matrix<T>(merged.weight).middleCols(first, size) *
                             const_matrix<T>(blocks).middleRows(first, size).transpose();
        matrix<T>(merged.weight).middleCols(first, size) = turned;
      }
    });
    return true;
  }

 private:
  DerivedParameter& blocks_;
};

class Oft : public TargetedMethod {
 public:
  void fields(FieldVisitor& visit) override {
    visit("oft_block_size", block_size_, "channels that are turned together");
    visit("coft", coft_, "keep rotations small: within eps");
    visit("eps", eps_, "how far coft lets rotations go");
    visit("block_share", block_share_, "one rotation for all blocks of a layer");
    visit("use_cayley_neumann", series_,
          "rotations by a truncated series, which are those of the exact map transposed");
    target_fields(visit);
  }

  std::unique_ptr<SiteHook> attach(const Site& site, ParameterMaker& make) const override {
    int64_t count = site.in / block_size_, rows = block_share_ ? 1 : count;
    double limit = coft_ ? eps_ / std::sqrt(static_cast<double>(rows)) : 0;
    Blocks blocks{count, block_size_, block_share_, series_, limit};
    Parameter& triangles =
        make.make(site, "oft_R.weight",
                  Tensor::zeros({rows, block_size_ * (block_size_ - 1) / 2}, DType::kF32));
    DerivedParameter& turned = make.derive(
        site.name + ".oft", {&triangles},
        [blocks](auto values) { return rotations(values[0], blocks); },
        [blocks](auto values, const Tensor& grad) {
          return std::vector<Tensor>{rotations_backward(values[0], grad, blocks)};
        });
    return std::make_unique<OftHook>(turned);
  }

 protected:
  void check() const override {
    require(eps_ > 0, ErrorKind::kUsage, "oft: eps is {}; expected a number above 0", eps_);
  }
  void check_site(const Site& site) const override {
    std::string permitted;
    for (int64_t size = 2; size <= 128 && size <= site.in; ++size) {
      if (site.in % size == 0) permitted += (permitted.empty() ? "" : ", ") + std::to_string(size);
    }
    require(block_size_ >= 2 && site.in % block_size_ == 0, ErrorKind::kUsage,
            "oft: oft_block_size {} does not divide the {} inputs of {}; use one of {}",
            block_size_, site.in, site.name, permitted);
  }

 private:
  int64_t block_size_ = 32;
  bool coft_ = false, block_share_ = false, series_ = true;
  double eps_ = 6e-5;
};

// PEFT's r is the number of blocks, 0 where the size is given.
void read_blocks(const Json& config, const SiteSet&, const std::string& where, Json&) {
  require(config.value("r", Json(0)) == 0, ErrorKind::kInput,
          "{}: \"r\" is {}, a number of blocks; only \"oft_block_size\" is read, with \"r\" 0",
          where, config.at("r").dump());
}

const PeftForm& oft_form() {
  static const PeftForm form{.type = "OFT",
                             .keys = {{"r", 0, PeftKey::kCustom},
                                      {"oft_block_size", 32, "oft_block_size"},
                                      {"module_dropout", 0.0, PeftKey::kNoMatter},
                                      {"bias", "none", PeftKey::kFixed},
                                      {"fan_in_fan_out", false, PeftKey::kFixed},
                                      {"init_weights", true, PeftKey::kNoMatter},
                                      {"coft", false, "coft"},
                                      {"eps", 6e-5, "eps"},
                                      {"block_share", false, "block_share"},
                                      {"use_cayley_neumann", true, "use_cayley_neumann"},
                                      {"num_cayley_neumann_terms", 5, PeftKey::kFixed}},
                             .read = read_blocks};
  return form;
}

}  // namespace

const MethodInfo& method_oft() {
  static const MethodInfo info{
      .name = "oft",
      .summary = "Turns blocks of what a linear layer reads.",
      .citation = "arXiv:2306.07280, arXiv:2506.19847",
      .example = "oft[oft_block_size=8]",
      .format = AdapterFormat::kPeft,
      .peft = &oft_form(),
      .learning_rate = 1e-3,
      .epochs = 3,
      .make = []() -> std::unique_ptr<Method> { return std::make_unique<Oft>(); }};
  return info;
}

}  // namespace inlay
