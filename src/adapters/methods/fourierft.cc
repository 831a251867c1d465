// FourierFT: Gao et al. 2024, "Parameter-efficient fine-tuning with discrete Fourier transform",
// arXiv:2405.03003, eqs. (2) and (3): a few trained coefficients c at drawn places of a spectrum
// that is zero elsewhere, dW = scaling Re(IDFT2(F)). Which places follows from random_loc_seed as
// in PyTorch: the first numbers of a random permutation drawn from a Mersenne twister.
#include <complex>
#include <numeric>
#include <random>
#include <unsupported/Eigen/FFT>

#include "adapters/delta_hook.h"
#include "adapters/peft_form.h"
#include "adapters/targeted_method.h"
#include "nn/initializers.h"
#include "tensor/matrix_view.h"

namespace inlay {
namespace {

using Places = std::vector<int64_t>;  // row * columns + column

// The first `count` of PyTorch's randperm(total) on the CPU: exchanges from the front, each with an
// element drawn from itself and what follows.
Places drawn_places(int64_t count, int64_t total, uint32_t seed) {
  std::mt19937 generator(seed);
  Places places(static_cast<std::size_t>(total));
  std::iota(places.begin(), places.end(), 0);
  for (int64_t i = 0; i < std::min(count, total - 1); ++i) {
    auto other = static_cast<int64_t>(generator() % static_cast<uint64_t>(total - i));
    std::swap(places[static_cast<std::size_t>(i)], places[static_cast<std::size_t>(i + other)]);
  }
  places.resize(static_cast<std::size_t>(count));
  return places;
}

template <class T>
using Spectrum = Eigen::Matrix<std::complex<T>, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

// Both directions in place: columns first, then rows. Forward has no factor, inverse 1 / (m n).
template <class T>
void transform(Spectrum<T>& field, bool inverse) {
  Eigen::FFT<T> fft;
  Eigen::Matrix<std::complex<T>, Eigen::Dynamic, 1> before, after;
  auto along = [&](auto&& line) {
    before = line;
    if (inverse) {
      fft.inv(after, before);
    } else {
      fft.fwd(after, before);
    }
    line = after;
  };
  for (int64_t column = 0; column < field.cols(); ++column) {
    if (!inverse || !field.col(column).isZero(T(0))) along(field.col(column));
  }
  for (int64_t row = 0; row < field.rows(); ++row) {
    before = field.row(row).transpose();
    if (inverse) {
      fft.inv(after, before);
    } else {
      fft.fwd(after, before);
    }
    field.row(row) = after.transpose();
  }
}

struct Field {
  int64_t rows, columns;
  double scaling;
  Places places;
};

Tensor update(DerivedParameter::Values values, const Field& field) {
  Tensor delta = Tensor::empty({field.rows, field.columns}, values[0].dtype());
  with_real(delta.dtype(), [&](auto zero) {
    using T = decltype(zero);
    Spectrum<T> spectrum = Spectrum<T>::Zero(field.rows, field.columns);
    for (std::size_t k = 0; k < field.places.size(); ++k)
      spectrum.data()[field.places[k]] = values[0].data<T>()[k];
    transform(spectrum, true);
    matrix<T>(delta) = static_cast<T>(field.scaling) * spectrum.real();
  });
  return delta;
}

// d sum G dW / d c_k = scaling / (m n) Re(DFT2(G))[k].
std::vector<Tensor> update_backward(DerivedParameter::Values values, const Tensor& grad,
                                    const Field& field) {
  std::vector<Tensor> grads{Tensor::empty(values[0].shape(), values[0].dtype())};
  with_real(grad.dtype(), [&](auto zero) {
    using T = decltype(zero);
    Spectrum<T> spectrum = const_matrix<T>(grad).template cast<std::complex<T>>();
    transform(spectrum, false);
    T scale = static_cast<T>(field.scaling / static_cast<double>(grad.count()));
    for (std::size_t k = 0; k < field.places.size(); ++k)
      grads[0].mutable_data<T>()[k] = scale * spectrum.data()[field.places[k]].real();
  });
  return grads;
}

class FourierFt : public TargetedMethod {
 public:
  FourierFt() : TargetedMethod({SiteRole::kQuery, SiteRole::kValue}) {}

  void fields(FieldVisitor& visit) override {
    visit("n_frequency", n_frequency_, "trained coefficients of each layer");
    visit("scaling", scaling_, "factor of the update");
    visit("random_loc_seed", seed_, "decides which coefficients are trained");
    visit("init_weights", zero_start_, "coefficients start at zero; else at random");
    target_fields(visit);
  }

  std::unique_ptr<SiteHook> attach(const Site& site, ParameterMaker& make) const override {
    const char* part = "fourierft_spectrum";
    Tensor start = zero_start_ ? Tensor::zeros({n_frequency_}, DType::kF32)
                               : normal_init({n_frequency_}, 1.0f, make.stream(site, part));
    Parameter& spectrum = make.make(site, part, std::move(start));
    Field field{site.out, site.in, scaling_,
                drawn_places(n_frequency_, site.out * site.in, static_cast<uint32_t>(seed_))};
    DerivedParameter& delta = make.derive(
        site.name + ".fourierft", {&spectrum},
        [field](auto values) { return update(values, field); },
        [field](auto values, const Tensor& grad) { return update_backward(values, grad, field); });
    return make_delta_hook(delta, 0, "");
  }

  bool identity_at_start() const override { return zero_start_; }
  int64_t gradient_chunk() const override { return 4; }

 protected:
  void check_site(const Site& site) const override {
    require(n_frequency_ >= 1 && n_frequency_ <= site.in * site.out, ErrorKind::kUsage,
            "fourierft: n_frequency is {} at {}, whose weight has {} elements; expected 1 to that",
            n_frequency_, site.name, site.in * site.out);
    require(seed_ >= 0 && seed_ <= UINT32_MAX, ErrorKind::kUsage,
            "fourierft: random_loc_seed is {}; expected 0 to {}", seed_, UINT32_MAX);
  }

 private:
  int64_t n_frequency_ = 1000;
  double scaling_ = 150;
  int64_t seed_ = 777;
  bool zero_start_ = true;
};

const PeftForm& form() {
  static const PeftForm form{.type = "FOURIERFT",
                             .keys = {{"n_frequency", 1000, "n_frequency"},
                                      {"scaling", 150.0, "scaling"},
                                      {"random_loc_seed", 777, "random_loc_seed"},
                                      {"n_frequency_pattern", Json::object(), PeftKey::kFixed},
                                      {"ifft2_norm", "backward", PeftKey::kFixed},
                                      {"fan_in_fan_out", false, PeftKey::kFixed},
                                      {"bias", "none", PeftKey::kFixed},
                                      {"init_weights", false, "init_weights"}}};
  return form;
}

}  // namespace

const MethodInfo& method_fourierft() {
  static const MethodInfo info{
      .name = "fourierft",
      .summary = "Adds an update with a few trained frequencies.",
      .citation = "arXiv:2405.03003",
      .example = "fourierft[n_frequency=50,target_modules=all-linear]",
      .format = AdapterFormat::kPeft,
      .peft = &form(),
      .learning_rate = 1e-1,
      .epochs = 3,
      .make = []() -> std::unique_ptr<Method> { return std::make_unique<FourierFt>(); }};
  return info;
}

}  // namespace inlay
