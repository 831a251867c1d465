#include "adapters/lora_training.h"

#include <Eigen/Cholesky>
#include <utility>

#include "tensor/matrix_view.h"

namespace inlay {
namespace {

constexpr double kRidge = 1e-8;

class LoraTraining : public MethodTraining {
 public:
  LoraTraining(const Adapter& adapter, LoraTrainingOptions options) : options_(std::move(options)) {
    if (!options_.fixed_a) return;
    for (const Adapter::Entry& entry : adapter.entries()) {
      if (entry.part != "lora_A.weight") continue;
      Tensor wide = entry.parameter.value().to(DType::kF64);
      auto a = const_matrix<double>(wide);
      RowMajor<double> gram = a * a.transpose();
      gram.diagonal().array() += kRidge;
      double scale = options_.scales.at(entry.site);
      RowMajor<double> identity = RowMajor<double>::Identity(gram.rows(), gram.cols());
      corrections_[entry.site] = gram.llt().solve(identity) / (scale * scale);
    }
  }

  double rate_factor(const Adapter::Entry& entry) const override {
    return entry.part.starts_with("lora_B.") ? options_.rate_ratio : 1.0;
  }

  void transform(const Adapter::Entry& entry, Tensor& gradient) override {
    if (!options_.fixed_a || entry.part != "lora_B.weight") return;
    RowMajor<double> corrected =
        const_matrix<float>(gradient).cast<double>() * corrections_.at(entry.site);
    matrix<float>(gradient) = corrected.cast<float>();
  }

 private:
  LoraTrainingOptions options_;
  std::map<const Site*, RowMajor<double>> corrections_;
};

}  // namespace

std::unique_ptr<MethodTraining> make_lora_training(const Adapter& adapter,
                                                   LoraTrainingOptions options) {
  return std::make_unique<LoraTraining>(adapter, std::move(options));
}

}  // namespace inlay
