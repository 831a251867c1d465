#include "adapters/arithmetic/combine.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "adapters/arithmetic/singular_values.h"
#include "adapters/arithmetic/weight_update.h"
#include "base/nearest.h"
#include "tensor/matrix_view.h"

namespace inlay {
namespace {

using Eigen::MatrixXd;

enum class Space { kConcatenation, kFactors, kUpdate };
struct Rule {
  const char* name;
  Space space;
  Pruning pruning = Pruning::kNone;
  bool elect = false;
};
constexpr std::initializer_list<Rule> kRules = {
    {"cat", Space::kConcatenation},
    {"negate", Space::kConcatenation},
    {"svd", Space::kUpdate},
    {"linear", Space::kFactors},
    {"ties", Space::kFactors, Pruning::kMagnitude, true},
    {"dare_linear", Space::kFactors, Pruning::kRandom},
    {"dare_ties", Space::kFactors, Pruning::kRandom, true},
    {"magnitude_prune", Space::kFactors, Pruning::kMagnitude},
    {"ties_svd", Space::kUpdate, Pruning::kMagnitude, true},
    {"dare_linear_svd", Space::kUpdate, Pruning::kRandom},
    {"dare_ties_svd", Space::kUpdate, Pruning::kRandom, true},
    {"magnitude_prune_svd", Space::kUpdate, Pruning::kMagnitude},
};

const Rule& find_rule(const CombineSettings& settings, std::size_t inputs) {
  const auto* rule = std::find_if(kRules.begin(), kRules.end(),
                                  [&](const Rule& one) { return settings.how == one.name; });
  require(rule != kRules.end(), ErrorKind::kUsage,
          "there is no rule \"{}\"; did you mean \"{}\"? There are {}", settings.how,
          nearest_name(settings.how, combine_rules()), fmt::join(combine_rules(), ", "));
  bool prunes = rule->pruning != Pruning::kNone;
  require(!prunes || (settings.density > 0 && settings.density <= 1), ErrorKind::kUsage,
          "{}: density is {}; expected the share of elements to keep, above 0 and at most 1",
          rule->name, settings.density);
  require(prunes || settings.density == 0, ErrorKind::kUsage,
          "{}: density has no effect; leave it out", rule->name);
  require(settings.rank == 0 || rule->space == Space::kUpdate, ErrorKind::kUsage,
          "{}: rank has no effect: it follows from the adapters; use svd to choose one",
          rule->name);
  require(settings.how != "negate" || inputs == 1, ErrorKind::kUsage,
          "negate takes one adapter; give weights below 0 to cat for more");
  require(inputs > 0, ErrorKind::kUsage, "no adapters were given");
  return *rule;
}

// What the adapters add at one site; those that leave it alone are not there.
struct SiteInputs {
  const Site* site = nullptr;
  std::vector<WeightUpdate> updates;
  std::vector<double> weights;

  int64_t limit() const { return std::min(site->in, site->out); }
  // w_i s_i
  double factor(std::size_t i) const { return weights[i] * updates[i].scale; }
};

struct Factors {
  MatrixXd a, b;
};

bool has_flag(const Adapter& adapter, const char* field) {
  return adapter.info().name == "lora" && adapter.config().at(field).get<bool>();
}

void check_methods(std::span<const WeightedAdapter> inputs, const Rule& rule) {
  for (const WeightedAdapter& input : inputs) {
    require(
        !has_flag(*input.adapter, "use_gating"), ErrorKind::kUsage,
        "{}: {} is LoRA with use_gating, whose update is another for each text; combine adapters "
        "without gates, or compose them as average(a, b)",
        rule.name, input.adapter->name());
  }
  if (rule.space == Space::kUpdate) return;
  for (const WeightedAdapter& input : inputs) {
    bool lora = input.adapter->info().name == "lora";
    bool dora = has_flag(*input.adapter, "use_dora");
    require(lora && !dora, ErrorKind::kUsage,
            "{}: {} is {}, which has no factors whose product is its update; use svd, which takes "
            "the update itself",
            rule.name, input.adapter->name(),
            dora ? "LoRA with use_dora" : "of method " + input.adapter->info().name);
  }
}

SiteInputs inputs_at(std::span<const WeightedAdapter> inputs, const Site& site) {
  SiteInputs found{.site = &site, .updates = {}, .weights = {}};
  for (const WeightedAdapter& input : inputs) {
    if (input.adapter->at(site.index) == nullptr) continue;
    found.updates.push_back(weight_update(*input.adapter, site));
    found.weights.push_back(input.weight);
  }
  return found;
}

// The result without loss: sum_i w_i dW_i as a matrix.
MatrixXd exact_sum(const SiteInputs& inputs) {
  MatrixXd sum = MatrixXd::Zero(inputs.site->out, inputs.site->in);
  for (std::size_t i = 0; i < inputs.updates.size(); ++i)
    sum += inputs.weights[i] * inputs.updates[i].matrix();
  return sum;
}

Factors first_components(const Svd& svd, int64_t rank) {
  int64_t kept = std::min<int64_t>(rank, svd.s.size());
  return {svd.v.leftCols(kept).transpose(), svd.u.leftCols(kept) * svd.s.head(kept).asDiagonal()};
}

// All factors side by side; what exceeds the greatest rank that the layer can have is not needed.
Factors concatenated(const SiteInputs& inputs) {
  int64_t rank = 0;
  for (const WeightUpdate& update : inputs.updates) rank += update.rank();
  Factors factors{MatrixXd(rank, inputs.site->in), MatrixXd(inputs.site->out, rank)};
  int64_t at = 0;
  for (std::size_t i = 0; i < inputs.updates.size(); ++i) {
    const WeightUpdate& update = inputs.updates[i];
    factors.a.middleRows(at, update.rank()) = inputs.factor(i) * update.a;
    factors.b.middleCols(at, update.rank()) = update.b;
    at += update.rank();
  }
  if (rank <= inputs.limit()) return factors;
  return first_components(svd_of_product(factors.b, factors.a), inputs.limit());
}

MergeRule merge_rule(const Rule& rule, const CombineSettings& settings) {
  return {.pruning = rule.pruning,
          .elect = rule.elect,
          .density = settings.density,
          .vote = settings.vote};
}

// A and B apart, each with the square root of w s, the sign in A.
Factors merged_factors(const SiteInputs& inputs, const Rule& rule,
                       const CombineSettings& settings) {
  std::vector<MatrixXd> a, b;
  std::vector<double> a_weights, b_weights;
  for (std::size_t i = 0; i < inputs.updates.size(); ++i) {
    const WeightUpdate& update = inputs.updates[i];
    require(update.rank() == inputs.updates.front().rank(), ErrorKind::kUsage,
            "{}: the adapters have ranks {} and {} at {}; it needs equal ones: use cat or svd",
            rule.name, inputs.updates.front().rank(), update.rank(), inputs.site->name);
    double root = std::sqrt(std::fabs(inputs.factor(i)));
    a.push_back(update.a);
    b.push_back(update.b);
    a_weights.push_back(std::copysign(root, inputs.factor(i)));
    b_weights.push_back(root);
  }
  MergeRule merge = merge_rule(rule, settings);
  std::string stream = "combine/" + inputs.site->name;
  return {merge_tensors(std::move(a), a_weights, merge, settings.seed, stream + "/A"),
          merge_tensors(std::move(b), b_weights, merge, settings.seed, stream + "/B")};
}

int64_t kept_rank(const SiteInputs& inputs, const CombineSettings& settings) {
  int64_t rank = settings.rank;
  if (rank == 0) {
    for (const WeightUpdate& update : inputs.updates) rank = std::max(rank, update.rank());
  }
  return std::min(rank, inputs.limit());
}

Factors merged_update(const SiteInputs& inputs, const Rule& rule, const CombineSettings& settings) {
  int64_t rank = kept_rank(inputs, settings);
  bool factored = std::all_of(inputs.updates.begin(), inputs.updates.end(),
                              [](const WeightUpdate& update) { return update.factored(); });
  if (factored && rule.pruning == Pruning::kNone) {
    Factors all = concatenated(inputs);
    return first_components(svd_of_product(all.b, all.a), rank);
  }
  std::vector<MatrixXd> updates;
  updates.reserve(inputs.updates.size());
  for (const WeightUpdate& update : inputs.updates) updates.push_back(update.matrix());
  MatrixXd merged = merge_tensors(std::move(updates), inputs.weights, merge_rule(rule, settings),
                                  settings.seed, "combine/" + inputs.site->name + "/update");
  return first_components(svd_of(merged), rank);
}

Factors combined_factors(const SiteInputs& inputs, const Rule& rule,
                         const CombineSettings& settings) {
  switch (rule.space) {
    case Space::kConcatenation:
      return concatenated(inputs);
    case Space::kFactors:
      return merged_factors(inputs, rule, settings);
    case Space::kUpdate:
      return merged_update(inputs, rule, settings);
  }
  fail(ErrorKind::kInternal, "an unknown space of rules");
}

Tensor as_tensor(const MatrixXd& values, const Shape& shape) {
  Tensor tensor = Tensor::empty(shape, DType::kF32);
  matrix<float>(tensor) = values.cast<float>();
  return tensor;
}

// The tensors of the result by full name, and its ranks by site.
struct Result {
  std::map<std::string, Tensor> tensors;
  std::map<std::string, int64_t> ranks;
  bool bias = false;
};

void add_bias(const SiteInputs& inputs, Result& result) {
  Eigen::VectorXd sum = Eigen::VectorXd::Zero(inputs.site->out);
  for (std::size_t i = 0; i < inputs.updates.size(); ++i) {
    if (inputs.updates[i].bias.size() == 0) continue;
    sum += inputs.weights[i] * inputs.updates[i].bias;
    result.bias = true;
  }
  result.tensors[inputs.site->name + ".lora_B.bias"] =
      as_tensor(sum.transpose(), {inputs.site->out});
}

SiteError add_site(const SiteInputs& inputs, const Factors& factors, Result& result) {
  int64_t rank = factors.a.rows();
  const Site& site = *inputs.site;
  Tensor a = as_tensor(factors.a, {rank, site.in}), b = as_tensor(factors.b, {site.out, rank});
  MatrixXd stored = const_matrix<float>(b).cast<double>() * const_matrix<float>(a).cast<double>();
  MatrixXd exact = exact_sum(inputs);
  SiteError error{&site, rank, exact.norm(), (stored - exact).norm()};
  result.tensors[site.name + ".lora_A.weight"] = std::move(a);
  result.tensors[site.name + ".lora_B.weight"] = std::move(b);
  result.ranks[site.name] = rank;
  add_bias(inputs, result);
  return error;
}

// Rules of the inputs where they select the same sites, and otherwise every site by name.
void set_targets(std::span<const WeightedAdapter> inputs, const std::vector<const Site*>& sites,
                 Json& fields) {
  const Adapter& first = *inputs.front().adapter;
  bool same = first.info().name == "lora" && first.sites() == sites;
  if (same) {
    Json config = first.config();
    for (const char* key : {"target_modules", "exclude_modules", "layers_to_transform"})
      fields[key] = config.at(key);
    return;
  }
  fields["target_modules"] = Json::array();
  for (const Site* site : sites) fields["target_modules"].push_back(site->name);
}

std::unique_ptr<Adapter> make_result(const Result& result, Json fields, const BaseFacts& base,
                                     const std::string& name) {
  int64_t usual = result.ranks.begin()->second;
  fields["r"] = usual;
  fields["alpha"] = static_cast<double>(usual);
  fields["lora_bias"] = result.bias;
  Json pattern = Json::object();
  for (const auto& [site, rank] : result.ranks) {
    if (rank != usual) pattern[site] = static_cast<double>(rank);
  }
  fields["rank_pattern"] = fields["alpha_pattern"] = pattern;
  const MethodInfo& info = find_method("lora");
  ConfiguredMethod method{&info, info.make()};
  fields_from_json([&](FieldVisitor& visit) { method.method->fields(visit); }, fields, "combine");
  auto adapter = Adapter::create(name, std::move(method), base, 0);
  ensure(adapter->sites().size() == result.ranks.size(), "combine: {} sites became {}",
         result.ranks.size(), adapter->sites().size());
  for (Adapter::Entry& entry : adapter->entries())
    entry.parameter.set_value(result.tensors.at(entry.parameter.name()));
  return adapter;
}

double ratio(double error, double exact) {
  if (error == 0) return 0;
  return error / exact;
}

}  // namespace

const std::vector<std::string>& combine_rules() {
  static const std::vector<std::string> names([] {
    std::vector<std::string> all;
    for (const Rule& rule : kRules) all.emplace_back(rule.name);
    return all;
  }());
  return names;
}

double SiteError::relative() const { return ratio(error, exact); }

double Combined::relative_error() const {
  double errors = 0, sizes = 0;
  for (const SiteError& site : sites) {
    errors += site.error * site.error;
    sizes += site.exact * site.exact;
  }
  return ratio(std::sqrt(errors), std::sqrt(sizes));
}

Combined combine_adapters(std::span<const WeightedAdapter> given, const CombineSettings& settings,
                          const BaseFacts& base, const std::string& name) {
  const Rule& rule = find_rule(settings, given.size());
  check_methods(given, rule);
  std::vector<WeightedAdapter> inputs(given.begin(), given.end());
  if (settings.how == "negate") inputs.front().weight *= -1;
  std::vector<const Site*> sites;
  for (const Site* site : base.sites) {
    if (std::any_of(inputs.begin(), inputs.end(), [&](const WeightedAdapter& input) {
          return input.adapter->at(site->index) != nullptr;
        }))
      sites.push_back(site);
  }
  require(!sites.empty(), ErrorKind::kUsage, "the adapters change no layer of the base");
  Combined combined;
  Result result;
  for (const Site* site : sites) {
    SiteInputs found = inputs_at(inputs, *site);
    combined.sites.push_back(add_site(found, combined_factors(found, rule, settings), result));
  }
  Json fields = Json::object();
  set_targets(inputs, sites, fields);
  combined.adapter = make_result(result, std::move(fields), base, name);
  return combined;
}

}  // namespace inlay
