// SHiRA: Bhardwaj et al. 2024, "Sparse high rank adapters", arXiv:2406.13175: a few elements of
// each weight are trained and the rest stays; which ones is drawn once, here without regard to the
// weight (SHiRA-Rand). As many as LoRA of rank r would train, r (in + out). With a random_seed they
// are those that PEFT draws from it.
#include <algorithm>
#include <unordered_set>

#include "adapters/peft_form.h"
#include "adapters/targeted_method.h"
#include "adapters/torch_permutation.h"
#include "autograd/ops/add.h"
#include "autograd/ops/sparse_linear.h"
#include "tensor/matrix_view.h"

namespace inlay {
namespace {

// `count` different numbers below `total`, ascending (Floyd's algorithm).
std::vector<int64_t> drawn_places(int64_t count, int64_t total, const Stream& stream) {
  std::unordered_set<int64_t> chosen;
  for (int64_t last = total - count; last < total; ++last) {
    auto place = static_cast<int64_t>(
        stream.below(static_cast<uint64_t>(last) + 1, static_cast<uint64_t>(last)));
    if (!chosen.insert(place).second) chosen.insert(last);
  }
  std::vector<int64_t> places(chosen.begin(), chosen.end());
  std::sort(places.begin(), places.end());
  return places;
}

// Rows, then columns: (2, count).
Tensor indices_of(const std::vector<int64_t>& places, int64_t columns) {
  auto count = static_cast<int64_t>(places.size());
  Tensor indices = Tensor::empty({2, count}, DType::kI32);
  auto* data = indices.mutable_data<int32_t>();
  for (int64_t i = 0; i < count; ++i) {
    data[i] = static_cast<int32_t>(places[static_cast<std::size_t>(i)] / columns);
    data[count + i] = static_cast<int32_t>(places[static_cast<std::size_t>(i)] % columns);
  }
  return indices;
}

// Fails (kInput) where a file's index lies outside the weight.
void check_places(const Tensor& indices, int64_t rows, int64_t columns) {
  int64_t count = indices.dim(1);
  const auto* data = indices.data<int32_t>();
  for (int64_t i = 0; i < count; ++i) {
    int64_t row = data[i], column = data[count + i];
    require(row >= 0 && row < rows && column >= 0 && column < columns, ErrorKind::kInput,
            "shira_indices name element ({}, {}) of a weight ({}, {})", row, column, rows, columns);
  }
}

class ShiraHook : public SiteHook {
 public:
  ShiraHook(Parameter& values, Parameter& indices, DerivedParameter& by_output,
            DerivedParameter& by_input)
      : values_(values), indices_(indices), by_output_(by_output), by_input_(by_input) {}

  Variable linear(Context& context, const LinearSite&, const Variable& x, Variable y) override {
    Variable update =
        sparse_linear(context, x, values_, {by_output_.current(), by_input_.current()});
    return add_scaled(context, y, update, 1.0f);
  }

  bool merge(MergedTensors& merged) override {
    const Tensor& indices = indices_.value();
    check_places(indices, merged.weight.dim(0), merged.weight.dim(1));
    int64_t count = indices.dim(1);
    const auto* places = indices.data<int32_t>();
    with_real(merged.weight.dtype(), [&](auto zero) {
      using T = decltype(zero);
      Tensor values = values_.value().to(merged.weight.dtype());
      for (int64_t i = 0; i < count; ++i)
        matrix<T>(merged.weight)(places[i], places[count + i]) += values.data<T>()[i];
    });
    return true;
  }

 private:
  Parameter &values_, &indices_;
  DerivedParameter &by_output_, &by_input_;
};

class Shira : public TargetedMethod {
 public:
  void fields(FieldVisitor& visit) override {
    visit("r", r_, "as many elements are trained as LoRA of this rank has");
    visit("random_seed", seed_,
          "decides which elements are trained, the same places in layers of one size, as in PEFT; "
          "-1: the run's seed, other places in every layer");
    target_fields(visit);
  }

  std::unique_ptr<SiteHook> attach(const Site& site, ParameterMaker& make) const override {
    int64_t count = r_ * (site.in + site.out);
    Parameter& weight = make.make(site, "shira_weight", Tensor::zeros({count}, DType::kF32));
    std::vector<int64_t> places = places_of(site, count, make);
    Parameter& indices = make.fixed(site, "shira_indices", indices_of(places, site.in));
    auto order = [&](bool by_output) -> DerivedParameter& {
      return make.derive(
          site.name + (by_output ? ".shira.by_output" : ".shira.by_input"), {&indices},
          [by_output, rows = site.out, columns = site.in](auto values) {
            check_places(values[0], rows, columns);
            auto n = static_cast<std::size_t>(values[0].dim(1));
            const auto* data = values[0].template data<int32_t>();
            std::span<const int32_t> outputs(data, n), inputs(data + n, n);
            return by_output ? sparse_order(outputs, inputs, rows)
                             : sparse_order(inputs, outputs, columns);
          },
          [](auto, const Tensor&) { return std::vector<Tensor>(1); });
    };
    return std::make_unique<ShiraHook>(weight, indices, order(true), order(false));
  }

  int64_t gradient_chunk() const override { return 4; }

 protected:
  void check() const override {
    require(r_ >= 1, ErrorKind::kUsage, "shira: r is {}; expected 1 or more", r_);
    require(seed_ >= -1 && seed_ <= UINT32_MAX, ErrorKind::kUsage,
            "shira: random_seed is {}; expected 0 to {}, or -1 for the run's", seed_, UINT32_MAX);
  }
  void check_site(const Site& site) const override {
    int64_t total = site.in * site.out, limit = total / (site.in + site.out);
    require(r_ <= limit, ErrorKind::kUsage,
            "shira: r is {} at {}, whose weight has {} elements, fewer than r (in + out); expected "
            "1 to {}",
            r_, site.name, total, limit);
  }

 private:
  std::vector<int64_t> places_of(const Site& site, int64_t count,
                                 const ParameterMaker& make) const {
    int64_t total = site.in * site.out;
    if (seed_ < 0) return drawn_places(count, total, make.stream(site, "shira_indices"));
    std::vector<int64_t> places = torch_permutation(total, count, static_cast<uint32_t>(seed_));
    std::sort(places.begin(), places.end());
    return places;
  }

  int64_t r_ = 8;
  int64_t seed_ = -1;
};

// PEFT's null is a seed of its own choice; either way the places are saved.
void write_seed(const Json& fields, const SiteSet&, Json& config) {
  const Json& seed = fields.at("random_seed");
  config["random_seed"] = seed == -1 ? Json() : seed;
}
void read_seed(const Json& config, const SiteSet&, const std::string& where, Json& fields) {
  Json seed = config.value("random_seed", Json());
  require(seed.is_null() || seed.is_number_integer(), ErrorKind::kInput,
          "{}: \"random_seed\" is {}; expected a whole number or null", where, seed.dump());
  fields["random_seed"] = seed.is_null() ? Json(-1) : seed;
}

const PeftForm& shira_form() {
  static const PeftForm form{.type = "SHIRA",
                             .keys = {{"r", 32, "r"},
                                      {"mask_type", "random", PeftKey::kNoMatter},
                                      {"random_seed", nullptr, PeftKey::kCustom},
                                      {"fan_in_fan_out", false, PeftKey::kFixed},
                                      {"init_weights", true, PeftKey::kNoMatter}},
                             .write = write_seed,
                             .read = read_seed};
  return form;
}

}  // namespace

const MethodInfo& method_shira() {
  static const MethodInfo info{
      .name = "shira",
      .summary = "Trains a few elements of each weight, drawn once.",
      .citation = "arXiv:2406.13175",
      .example = "shira[r=2]",
      .format = AdapterFormat::kPeft,
      .peft = &shira_form(),
      .learning_rate = 1e-3,
      .epochs = 3,
      .make = []() -> std::unique_ptr<Method> { return std::make_unique<Shira>(); }};
  return info;
}

}  // namespace inlay
