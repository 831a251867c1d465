#include "adapters/reft_method.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <utility>

#include "adapters/orthogonal_rows.h"
#include "adapters/targeted_method.h"
#include "autograd/ops/activation.h"
#include "autograd/ops/add.h"
#include "autograd/ops/dropout.h"
#include "autograd/ops/linear.h"
#include "autograd/ops/place_rows.h"
#include "autograd/ops/row_ops.h"
#include "nn/context.h"
#include "nn/initializers.h"
#include "tensor/matrix_view.h"

namespace inlay {
namespace {

// The tensors of one edit.
struct Unit {
  Parameter& source_weight;    // W (r, d)
  Parameter& source_bias;      // b (r)
  Parameter* plain = nullptr;  // R (r, d), or
  DerivedParameter* orthogonal = nullptr;
  DerivedParameter& transposed;  // R^T (d, r)

  Parameter& projection() const { return orthogonal != nullptr ? orthogonal->current() : *plain; }
};

struct Edit {
  Activation activation = Activation::kIdentity;
  bool subtract_projection = true;
  double dropout = 0;
};

// Rows of a batch: of each example its first or its last tokens.
struct Places {
  std::vector<int64_t> numbers;
  RowSpace space;
};

// Tokens [begin(length), end(length)) of every example.
template <class Begin, class End>
Places places_of(const RowSpace& rows, const Begin& begin, const End& end) {
  Places places{.numbers = {}, .space = {.example_offsets = {0}, .chunk_offsets = {0}}};
  std::size_t chunk = 1;
  for (std::size_t e = 0; e + 1 < rows.example_offsets.size(); ++e) {
    int64_t first = rows.example_offsets[e], length = rows.example_offsets[e + 1] - first;
    for (int64_t t = begin(length); t < end(length); ++t) {
      auto row = static_cast<std::size_t>(first + t);
      places.numbers.push_back(first + t);
      places.space.example_place.push_back(rows.example_place[row]);
      places.space.token_position.push_back(rows.token_position[row]);
    }
    auto count = static_cast<int64_t>(places.numbers.size());
    places.space.example_offsets.push_back(count);
    for (; chunk < rows.chunk_offsets.size() && rows.chunk_offsets[chunk] <= first + length;
         ++chunk)
      places.space.chunk_offsets.push_back(count);
  }
  return places;
}

class ReftHook : public SiteHook {
 public:
  // `units`: that of the first tokens, then that of the last ones, or one for both.
  ReftHook(std::vector<Unit> units, std::array<int64_t, 2> positions, const Edit& edit,
           const std::string& site_name)
      : units_(std::move(units)),
        positions_(positions),
        edit_(edit),
        stream_("dropout/reft/" + site_name) {}

  Variable hidden(Context& context, const HiddenBlock& block) override {
    const RowSpace& rows = *block.output.row_space();
    auto [prefix, suffix] = positions_;
    // Where both reach, the suffix's edit stands, as in AdapterHub.
    Places first = places_of(
        rows, [](int64_t) { return int64_t{0}; },
        [p = prefix, s = suffix](int64_t length) {
          return std::min(p, std::max<int64_t>(0, length - s));
        });
    Places last = places_of(
        rows, [s = suffix](int64_t length) { return std::max<int64_t>(0, length - s); },
        [](int64_t length) { return length; });
    Variable sum;
    for (auto [unit, places] : {std::pair{0, &first}, {1, &last}}) {
      if (places->numbers.empty()) continue;
      Variable part = edited(context, block.output, static_cast<std::size_t>(unit), *places);
      sum = sum.defined() ? add(context, sum, part) : part;
    }
    return sum;
  }

 private:
  // What is added at these rows, among zeros.
  Variable edited(Context& context, const Variable& h, std::size_t number,
                  const Places& places) const {
    const Unit& unit = number == 0 ? units_.front() : units_.back();
    Variable x = select_rows(context, h, places.numbers, context.keep(places.space));
    LinearWeights source{.weight = &unit.source_weight, .bias = &unit.source_bias};
    Variable s = inlay::linear(context, x, source, Precision::kFull);
    if (edit_.activation != Activation::kIdentity) s = activation(context, s, edit_.activation);
    if (edit_.subtract_projection) {
      Variable seen = inlay::linear(context, x, {.weight = &unit.projection()}, Precision::kFull);
      s = add_scaled(context, s, seen, -1);
    }
    Variable edit =
        inlay::linear(context, s, {.weight = &unit.transposed.current()}, Precision::kFull);
    if (context.training && edit_.dropout > 0) {  // of the whole edited state
      Variable whole = dropout(context, add(context, x, edit), edit_.dropout,
                               stream_ + "/" + std::to_string(number));
      edit = add_scaled(context, whole, x, -1);
    }
    return place_rows(context, edit, places.numbers, h.row_space());
  }

  std::vector<Unit> units_;
  std::array<int64_t, 2> positions_;
  Edit edit_;
  std::string stream_;
};

constexpr const char* kProjection = "projection";

class Reft : public Method {
 public:
  explicit Reft(const ReftStart& start)
      : orthogonality_(start.orthogonality), subtract_projection_(start.subtract_projection) {}

  void fields(FieldVisitor& visit) override {
    visit("r", r_, "dimensions of the space that is edited");
    visit("layers", layers_, "numbers of the layers whose output is edited; all when empty");
    visit("prefix_positions", prefix_positions_, "how many first tokens of an example are edited");
    visit("suffix_positions", suffix_positions_, "how many last tokens are");
    visit("tied_weights", tied_weights_, "one edit for first and last tokens");
    visit("orthogonality", orthogonality_, "keep the rows of the projection orthonormal");
    visit("subtract_projection", subtract_projection_,
          "replace the state in the space rather than add to it");
    visit("non_linearity", non_linearity_, "activation of the new state, or none");
    visit("dropout", dropout_, "probability of dropping an edited channel while training");
  }

  std::vector<const Site*> select(const BaseFacts& base) const override {
    check(base);
    std::vector<const Site*> sites;
    std::copy_if(base.sites.begin(), base.sites.end(), std::back_inserter(sites),
                 [this](const Site* site) {
                   return site->role == SiteRole::kLayerOutput && in_layers(site->layer);
                 });
    require(!sites.empty(), ErrorKind::kUsage,
            "reft: this {} base has no layers whose output can be edited", base.model_type);
    return sites;
  }

  std::unique_ptr<SiteHook> attach(const Site& site, ParameterMaker& make) const override {
    std::vector<Unit> units;
    bool tied = tied_weights_;
    units.reserve(2);
    units.push_back(unit(site, "units.0.", prefix_positions_ > 0 || tied, make));
    if (!tied) units.push_back(unit(site, "units.1.", suffix_positions_ > 0, make));
    Edit edit{.activation = activation_kind(),
              .subtract_projection = subtract_projection_,
              .dropout = dropout_};
    return std::make_unique<ReftHook>(
        std::move(units), std::array{prefix_positions_, suffix_positions_}, edit, site.name);
  }

  bool identity_at_start() const override { return false; }

 private:
  void check(const BaseFacts& base) const {
    require(r_ >= 1 && r_ <= base.hidden, ErrorKind::kUsage,
            "reft: r is {}; expected 1 to the hidden size, {}", r_, base.hidden);
    require(prefix_positions_ >= 0 && suffix_positions_ >= 0 &&
                prefix_positions_ + suffix_positions_ > 0,
            ErrorKind::kUsage,
            "reft: prefix_positions is {} and suffix_positions {}; expected 0 or more, and one of "
            "them more than 0",
            prefix_positions_, suffix_positions_);
    check_probability("reft: dropout", dropout_);
    activation_kind();
    for (const std::string& layer : layers_) {
      bool known = false;
      for (int64_t number = 0; number < base.layers; ++number)
        known = known || std::to_string(number) == layer;
      require(known, ErrorKind::kUsage,
              "reft: layers names layer \"{}\"; this base has layers 0 to {}", layer,
              base.layers - 1);
    }
  }

  bool in_layers(int layer) const {
    return layers_.empty() ||
           std::find(layers_.begin(), layers_.end(), std::to_string(layer)) != layers_.end();
  }

  Activation activation_kind() const {
    return non_linearity_.has_value() ? parse_activation(*non_linearity_, "reft")
                                      : Activation::kIdentity;
  }

  // AdapterHub's files hold both edits, used or not; the one that is not used is not trained.
  Unit unit(const Site& site, const std::string& at, bool trained, ParameterMaker& make) const {
    auto tensor = [&](const std::string& part, const Shape& shape) -> Parameter& {
      float bound = 1.0f / std::sqrt(static_cast<float>(site.out));
      Tensor start = uniform_init(shape, bound, make.stream(site, at + part));
      return trained ? make.make(site, at + part, std::move(start))
                     : make.fixed(site, at + part, std::move(start));
    };
    Parameter& weight = tensor("learned_source.weight", {r_, site.out});
    Parameter& bias = tensor("learned_source.bias", {r_});
    if (!orthogonality_) {
      Parameter& plain = tensor(std::string(kProjection) + ".weight", {r_, site.out});
      return {weight, bias, &plain, nullptr, transposed(site, at, plain, make)};
    }
    DerivedParameter& rows =
        make_orthogonal_rows(site, at + kProjection, r_, site.out, trained, make);
    return {weight, bias, nullptr, &rows, transposed(site, at, rows.parameter(), make)};
  }

  static DerivedParameter& transposed(const Site& site, const std::string& at,
                                      Parameter& projection, ParameterMaker& make) {
    return make.derive(
        site.name + "." + at + "projection transposed", {&projection},
        [](DerivedParameter::Values values) { return transpose(values[0]); },
        [](DerivedParameter::Values, const Tensor& grad) {
          return std::vector<Tensor>{transpose(grad)};
        });
  }

  static Tensor transpose(const Tensor& tensor) {
    Tensor result = Tensor::empty({tensor.dim(1), tensor.dim(0)}, tensor.dtype());
    with_real(tensor.dtype(), [&](auto zero) {
      using T = decltype(zero);
      matrix<T>(result) = const_matrix<T>(tensor).transpose();
    });
    return result;
  }

  int64_t r_ = 1, prefix_positions_ = 3, suffix_positions_ = 0;
  std::vector<std::string> layers_;
  bool tied_weights_ = false, orthogonality_, subtract_projection_;
  std::optional<std::string> non_linearity_;
  double dropout_ = 0.05;
};

}  // namespace

std::unique_ptr<Method> make_reft(const ReftStart& start) { return std::make_unique<Reft>(start); }

}  // namespace inlay
