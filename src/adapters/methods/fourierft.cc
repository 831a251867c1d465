// FourierFT: Gao et al. 2024, "Parameter-efficient fine-tuning with discrete Fourier transform",
// arXiv:2405.03003, eqs. (2) and (3): a few trained coefficients c at drawn places of a spectrum
// that is zero elsewhere, dW = scaling Re(IDFT2(F)). Which places follows from random_loc_seed as
// in PyTorch: the first numbers of a random permutation drawn from a Mersenne twister.
#include <complex>
#include <numbers>
#include <unsupported/Eigen/FFT>

#include "adapters/delta_hook.h"
#include "adapters/peft_form.h"
#include "adapters/targeted_method.h"
#include "adapters/torch_permutation.h"
#include "nn/initializers.h"
#include "tensor/kernels/parallel.h"
#include "tensor/matrix_view.h"

namespace inlay {
namespace {

// What a layer's update is made of: coefficient l stands at (row(l), column(l)) of the spectrum.
struct Field {
  int64_t rows, columns;
  double scaling;
  std::vector<uint32_t> row, column;
};

template <class T>
using Line = Eigen::Matrix<std::complex<T>, Eigen::Dynamic, 1>;

// exp(2 pi i t / size) for all t.
template <class T>
Line<T> unit_roots(int64_t size) {
  Line<T> roots(size);
  for (int64_t t = 0; t < size; ++t) {
    std::complex<double> root =
        std::polar(1.0, 2 * std::numbers::pi * static_cast<double>(t) / static_cast<double>(size));
    roots[t] = std::complex<T>(static_cast<T>(root.real()), static_cast<T>(root.imag()));
  }
  return roots;
}

// Calls visit(q) for all even columns, in parallel; a column and its neighbour q + 1 are the real
// and the imaginary part of one transform. `visit` gets a transform of its own.
template <class T, class Visit>
void for_each_pair(const Field& field, const Visit& visit) {
  int64_t pairs = (field.columns + 1) / 2;
  kernels::parallel_ranges(pairs, 2 * field.rows, [&](int64_t first, int64_t last) {
    Eigen::FFT<T> fft;
    for (int64_t pair = first; pair < last; ++pair) visit(2 * pair, fft);
  });
}

// dW[p, q] = scaling / (m n) sum_l c_l cos(2 pi (j_l p / m + k_l q / n)). With z = exp(2 pi i q k_l
// / n) the sum over rows is the inverse transform of c_l z / 2 at j_l and its conjugate at -j_l.
Tensor update(DerivedParameter::Values values, const Field& field) {
  Tensor delta = Tensor::empty({field.rows, field.columns}, values[0].dtype());
  with_real(delta.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T* c = values[0].data<T>();
    auto out = matrix<T>(delta);
    Line<T> roots = unit_roots<T>(field.columns);
    T scale = static_cast<T>(field.scaling / static_cast<double>(field.columns));
    auto width = static_cast<uint32_t>(field.columns);
    for_each_pair<T>(field, [&](int64_t q, Eigen::FFT<T>& fft) {
      Line<T> spectrum = Line<T>::Zero(field.rows), wave;
      auto add = [&](int64_t column, std::complex<T> unit) {
        for (std::size_t l = 0; l < field.row.size(); ++l) {
          uint32_t turn = field.column[l] * static_cast<uint32_t>(column) % width;
          std::complex<T> half = T(0.5) * c[l] * roots[turn];
          spectrum[field.row[l]] += unit * half;
          spectrum[field.row[l] == 0 ? 0 : field.rows - field.row[l]] += unit * std::conj(half);
        }
      };
      bool two = q + 1 < field.columns;
      add(q, {1, 0});
      if (two) add(q + 1, {0, 1});
      fft.inv(wave, spectrum);
      out.col(q) = scale * wave.real();
      if (two) out.col(q + 1) = scale * wave.imag();
    });
  });
  return delta;
}

// d sum G dW / d c_l = scaling / (m n) Re sum_q H_q[j_l] exp(-2 pi i q k_l / n) with H_q the
// transform of column q of G.
std::vector<Tensor> update_backward(DerivedParameter::Values values, const Tensor& grad,
                                    const Field& field) {
  std::vector<Tensor> grads{Tensor::empty(values[0].shape(), values[0].dtype())};
  with_real(grad.dtype(), [&](auto zero) {
    using T = decltype(zero);
    auto seed = const_matrix<T>(grad);
    Eigen::Matrix<std::complex<T>, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> transforms(
        field.rows, field.columns);
    for_each_pair<T>(field, [&](int64_t q, Eigen::FFT<T>& fft) {
      Line<T> wave(field.rows), spectrum;
      bool two = q + 1 < field.columns;
      wave.real() = seed.col(q);
      wave.imag().setZero();
      if (two) wave.imag() = seed.col(q + 1);
      fft.fwd(spectrum, wave);
      for (int64_t j = 0; j < field.rows; ++j) {
        std::complex<T> mirrored = std::conj(spectrum[(field.rows - j) % field.rows]);
        transforms(j, q) = T(0.5) * (spectrum[j] + mirrored);
        if (two) transforms(j, q + 1) = std::complex<T>(0, T(-0.5)) * (spectrum[j] - mirrored);
      }
    });
    Line<T> roots = unit_roots<T>(field.columns);
    T scale = static_cast<T>(field.scaling / static_cast<double>(grad.count()));
    T* c = grads[0].mutable_data<T>();
    auto count = static_cast<int64_t>(field.row.size());
    kernels::parallel_ranges(count, field.columns, [&](int64_t first, int64_t last) {
      for (int64_t l = first; l < last; ++l) {
        int64_t j = field.row[static_cast<std::size_t>(l)];
        int64_t k = field.column[static_cast<std::size_t>(l)], turn = 0;
        T sum = 0;
        for (int64_t q = 0; q < field.columns; ++q) {
          std::complex<T> root = roots[turn], value = transforms(j, q);
          sum += value.real() * root.real() + value.imag() * root.imag();
          turn += k;
          if (turn >= field.columns) turn -= field.columns;
        }
        c[l] = scale * sum;
      }
    });
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
    Field field{site.out, site.in, scaling_, {}, {}};
    for (int64_t place :
         torch_permutation(site.out * site.in, n_frequency_, static_cast<uint32_t>(seed_))) {
      field.row.push_back(static_cast<uint32_t>(place / site.in));
      field.column.push_back(static_cast<uint32_t>(place % site.in));
    }
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

const PeftForm& fourierft_form() {
  static const PeftForm form{.type = "FOURIERFT",
                             .keys = {{"n_frequency", 1000, "n_frequency"},
                                      {"alpha", nullptr, PeftKey::kFixed},
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
      .peft = &fourierft_form(),
      .learning_rate = 1e-1,
      .epochs = 3,
      .make = []() -> std::unique_ptr<Method> { return std::make_unique<FourierFt>(); }};
  return info;
}

}  // namespace inlay
