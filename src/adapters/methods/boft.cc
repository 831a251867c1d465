// BOFT: Liu et al. 2023, arXiv:2311.06243, section 4: W' = s * (W B^T) with B = B_m ... B_1 a
// product of m butterfly factors B_i = P_i D_i P_i^T: D_i is block-diagonal with orthogonal blocks
// (I - S)(I + S)^-1, S the skew-symmetric part of a trained matrix, and P_i brings far channels
// together: within stretches of 2^(i-1) blocks the even halves of blocks come first, then the odd
// ones. Each output has a trained scale s. So the layer reads x B, factor by factor, and what it
// gives is scaled about its bias.
#include <numeric>

#include "adapters/peft_form.h"
#include "adapters/rotation.h"
#include "adapters/targeted_method.h"
#include "autograd/ops/block_linear.h"
#include "autograd/ops/permute_channels.h"
#include "autograd/ops/rescale.h"
#include "nn/modules.h"

namespace inlay {
namespace {

using Order = std::vector<int64_t>;

// Where P_i takes its channels from, for the factor of this number from 0.
Order butterfly(int64_t channels, int64_t block, int64_t number) {
  Order order(static_cast<std::size_t>(channels));
  std::iota(order.begin(), order.end(), 0);
  if (number == 0) return order;  // two halves, in their order
  int64_t half = block / 2, halves = int64_t{2} << number;
  order.clear();
  for (int64_t first = 0; first < channels; first += half * halves) {
    for (int64_t parity : {0, 1}) {
      for (int64_t h = parity; h < halves; h += 2) {
        for (int64_t c = 0; c < half; ++c) order.push_back(first + h * half + c);
      }
    }
  }
  return order;
}

Order inverse(const Order& order) {
  Order result(order.size());
  for (std::size_t i = 0; i < order.size(); ++i)
    result[static_cast<std::size_t>(order[i])] = static_cast<int64_t>(i);
  return result;
}

// One factor: its part of boft_R (factors, blocks, size, size).
struct Factor {
  int64_t number, blocks, size;
  int64_t begin() const { return number * blocks * size * size; }
};

template <class T>
RowMajor<T> skew_block(const Tensor& all, const Factor& factor, int64_t block) {
  const T* first = all.data<T>() + factor.begin() + block * factor.size * factor.size;
  Eigen::Map<const RowMajor<T>> part(first, factor.size, factor.size);
  return T(0.5) * (part - part.transpose());
}

// (blocks size, size)
Tensor rotations(const Tensor& all, const Factor& factor) {
  Tensor blocks = Tensor::empty({factor.blocks * factor.size, factor.size}, all.dtype());
  with_real(all.dtype(), [&](auto zero) {
    using T = decltype(zero);
    for (int64_t i = 0; i < factor.blocks; ++i) {
      matrix<T>(blocks).middleRows(i * factor.size, factor.size) =
          cayley<T>(skew_block<T>(all, factor, i));
    }
  });
  return blocks;
}

Tensor rotations_backward(const Tensor& all, const Tensor& grad, const Factor& factor) {
  Tensor result = Tensor::zeros(all.shape(), all.dtype());
  with_real(all.dtype(), [&](auto zero) {
    using T = decltype(zero);
    for (int64_t i = 0; i < factor.blocks; ++i) {
      RowMajor<T> seed = const_matrix<T>(grad).middleRows(i * factor.size, factor.size);
      RowMajor<T> skew = cayley_backward<T>(skew_block<T>(all, factor, i), seed);
      T* first = result.mutable_data<T>() + factor.begin() + i * factor.size * factor.size;
      Eigen::Map<RowMajor<T>>(first, factor.size, factor.size) = T(0.5) * (skew - skew.transpose());
    }
  });
  return result;
}

struct Rotation {
  DerivedParameter* blocks;
  Order order, back;  // P_i and its inverse
};

class BoftHook : public SiteHook {
 public:
  BoftHook(std::vector<Rotation> rotations, Parameter& scales)
      : rotations_(std::move(rotations)), scales_(scales) {}

  // x B_m ... B_1. The first P_i is the identity.
  Variable input(Context& context, const Variable& x) override {
    Variable turned = x;
    for (std::size_t i = rotations_.size(); i-- > 0;) {
      const Rotation& rotation = rotations_[i];
      if (i > 0) turned = permute_channels(context, turned, rotation.back);
      turned = block_linear(context, turned, rotation.blocks->current());
      if (i > 0) turned = permute_channels(context, turned, rotation.order);
    }
    return turned;
  }

  Variable linear(Context& context, const LinearSite& module, const Variable&,
                  Variable y) override {
    return rescale(context, y, scales_, module.weight.bias(), Tensor());
  }

  bool merge(MergedTensors& merged) override {
    with_real(merged.weight.dtype(), [&](auto zero) {
      using T = decltype(zero);
      for (const Rotation& rotation : rotations_) turn(matrix<T>(merged.weight), rotation);
      Tensor scales = scales_.value().to(merged.weight.dtype());
      matrix<T>(merged.weight).array().colwise() *= const_matrix<T>(scales).col(0).array();
    });
    return true;
  }

 private:
  // W = W P D^T P^T
  static void turn(auto weight, const Rotation& rotation) {
    using T = typename std::decay_t<decltype(weight)>::Scalar;
    Tensor blocks = rotation.blocks->current().value().to(dtype_of<T>());
    int64_t size = blocks.dim(1);
    RowMajor<T> ordered(weight.rows(), weight.cols());
    for (int64_t c = 0; c < weight.cols(); ++c)
      ordered.col(c) = weight.col(rotation.back[static_cast<std::size_t>(c)]);
    for (int64_t first = 0; first < weight.cols(); first += size) {
      RowMajor<T> turned = ordered.middleCols(first, size) *
                           const_matrix<T>(blocks).middleRows(first, size).transpose();
      ordered.middleCols(first, size) = turned;
    }
    for (int64_t c = 0; c < weight.cols(); ++c)
      weight.col(c) = ordered.col(rotation.order[static_cast<std::size_t>(c)]);
  }

  std::vector<Rotation> rotations_;
  Parameter& scales_;
};

class Boft : public TargetedMethod {
 public:
  void fields(FieldVisitor& visit) override {
    visit("boft_block_size", block_size_, "channels that a factor turns together; 0: by number");
    visit("boft_block_num", block_num_, "blocks of a factor; 0: by size");
    visit("boft_n_butterfly_factor", factors_, "factors: more of them reach farther channels");
    target_fields(visit);
  }

  std::unique_ptr<SiteHook> attach(const Site& site, ParameterMaker& make) const override {
    int64_t size = size_at(site), blocks = site.in / size;
    Parameter& all =
        make.make(site, "boft_R", Tensor::zeros({factors_, blocks, size, size}, DType::kF32));
    Tensor ones = Tensor::empty({site.out, 1}, DType::kF32);
    std::fill_n(ones.mutable_data<float>(), ones.count(), 1.0f);
    Parameter& scales = make.make(site, "boft_s", std::move(ones));
    std::vector<Rotation> rotations;
    rotations.reserve(static_cast<std::size_t>(factors_));
    for (int64_t i = 0; i < factors_; ++i) {
      Factor factor{i, blocks, size};
      DerivedParameter& turned = make.derive(
          fmt::format("{}.boft.{}", site.name, i), {&all},
          [factor](auto values) { return inlay::rotations(values[0], factor); },
          [factor](auto values, const Tensor& grad) {
            return std::vector<Tensor>{rotations_backward(values[0], grad, factor)};
          });
      Order order = butterfly(site.in, size, i);
      rotations.push_back({&turned, order, inverse(order)});
    }
    return std::make_unique<BoftHook>(std::move(rotations), scales);
  }

 protected:
  void check() const override {
    require((block_size_ > 0) != (block_num_ > 0) && block_size_ >= 0 && block_num_ >= 0,
            ErrorKind::kUsage,
            "boft: boft_block_size is {} and boft_block_num {}; expected one of them to be 0 and "
            "the other 1 or more",
            block_size_, block_num_);
    require(factors_ >= 1 && factors_ <= kMostFactors, ErrorKind::kUsage,
            "boft: boft_n_butterfly_factor is {}; expected 1 to {}", factors_, kMostFactors);
  }
  void check_site(const Site& site) const override {
    int64_t given = block_size_ > 0 ? block_size_ : block_num_;
    require(site.in % given == 0, ErrorKind::kUsage,
            "boft: {} {} does not divide the {} inputs of {}; use a divisor",
            block_size_ > 0 ? "boft_block_size" : "boft_block_num", given, site.in, site.name);
    int64_t stretch = size_at(site) << (factors_ - 1);
    require(factors_ == 1 || (size_at(site) % 2 == 0 && site.in % stretch == 0), ErrorKind::kUsage,
            "boft: {} factors of blocks of {} need an even block size, and {} inputs of {} that "
            "{} divides; use fewer factors or another block size",
            factors_, size_at(site), site.in, site.name, stretch);
  }

 private:
  static constexpr int64_t kMostFactors = 16;
  int64_t size_at(const Site& site) const {
    return block_size_ > 0 ? block_size_ : site.in / block_num_;
  }

  int64_t block_size_ = 4, block_num_ = 0, factors_ = 1;
};

const PeftForm& boft_form() {
  static const PeftForm form{.type = "BOFT",
                             .keys = {{"boft_block_size", 4, "boft_block_size"},
                                      {"boft_block_num", 0, "boft_block_num"},
                                      {"boft_n_butterfly_factor", 1, "boft_n_butterfly_factor"},
                                      {"boft_dropout", 0.0, PeftKey::kNoMatter},
                                      {"bias", "none", PeftKey::kFixed},
                                      {"fan_in_fan_out", false, PeftKey::kFixed},
                                      {"init_weights", true, PeftKey::kNoMatter}}};
  return form;
}

}  // namespace

const MethodInfo& method_boft() {
  static const MethodInfo info{
      .name = "boft",
      .summary = "Turns what a linear layer reads by butterfly factors, and scales what it gives.",
      .citation = "arXiv:2311.06243",
      .example = "boft[boft_block_size=4,boft_n_butterfly_factor=2]",
      .format = AdapterFormat::kPeft,
      .peft = &boft_form(),
      .learning_rate = 1e-3,
      .epochs = 3,
      .make = []() -> std::unique_ptr<Method> { return std::make_unique<Boft>(); }};
  return info;
}

}  // namespace inlay
