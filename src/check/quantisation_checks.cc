#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "autograd/operands.h"
#include "check/parts.h"
#include "check/probe.h"

namespace inlay {
namespace {

// Of a layer, in Frobenius norms.
struct LayerError {
  const Site* site = nullptr;
  double norm = 0;      // ||W||
  double relative = 0;  // ||W - Wq|| / ||W||
};

double squared_norm(const Tensor& weight) {
  kernels::Input values = in(weight);
  double sum = 0;
  for (int64_t i = 0; i < weight.count(); ++i) {
    double value = values.load<double>(i);
    sum += value * value;
  }
  return sum;
}

LayerError error_of(const Site& site, const Model& model) {
  Site plain = site;
  plain.quantised = nullptr;  // what the file holds, (out, in)
  Tensor weight = out_by_in(plain);
  LayerError error{&site, std::sqrt(squared_norm(weight)), relative_error(weight, *site.quantised)};
  for (const std::string& name :
       {model.facts().prefix + site.name + ".weight", site.name + ".weight"}) {
    if (model.checkpoint().contains(name)) model.checkpoint().drop_pages(name);
  }
  return error;
}

// In the base's order. Layers that the file itself holds in blocks have nothing to be compared
// with.
std::vector<LayerError> layer_errors(const Model& model) {
  std::vector<const Site*> sites;
  for (const Site* site : model.sites()) {
    if (site->quantised != nullptr && site->weight.defined()) sites.push_back(site);
  }
  std::vector<LayerError> errors(sites.size());
#pragma omp parallel for schedule(dynamic, 1)
  for (std::size_t i = 0; i < sites.size(); ++i) errors[i] = error_of(*sites[i], model);
  return errors;
}

double overall(const std::vector<LayerError>& errors) {
  double error = 0, norm = 0;
  for (const LayerError& layer : errors) {
    error += std::pow(layer.relative * layer.norm, 2);
    norm += std::pow(layer.norm, 2);
  }
  return norm > 0 ? std::sqrt(error / norm) : 0;
}

// The largest difference of the probe's logits from those of the base as its files have it.
void add_logits(const CheckSubject& subject, Learner& learner, Finding& finding) {
  const Model& model = subject.model;
  auto whole = load_model(model.facts().folder, {.masked_lm = model.has_masked_lm(),
                                                 .language_model = model.has_language_model()});
  Probe probe(subject, learner, {.recompute = false, .weights = onednn::Reading::kStored});
  Tensor expected = probe.base_logits(*whole);
  double difference = largest_difference(expected, probe.base_logits(model));
  double largest = 0;
  for (int64_t i = 0; i < expected.count(); ++i)
    largest = std::max(largest, std::fabs(in(expected).load<double>(i)));
  finding.text += fmt::format("; the probe's outputs change by up to {:.3g}, the largest is {:.3g}",
                              difference, largest);
  finding.details["output_difference"] = difference;
  finding.details["largest_output"] = largest;
}

}  // namespace

void check_quantisation(const CheckSubject& subject, Learner& learner, Findings& findings) {
  std::vector<LayerError> errors = layer_errors(subject.model);
  if (errors.empty()) return;
  const LayerError& worst = *std::max_element(
      errors.begin(), errors.end(),
      [](const LayerError& a, const LayerError& b) { return a.relative < b.relative; });
  std::string format(worst.site->quantised->format_name());
  Finding finding{
      "C-4",
      Severity::kInfo,
      fmt::format("{} linear layers are held as {}, {:.3g} % away from the files' weights; the "
                  "worst is {}, {:.3g} %",
                  errors.size(), format, 100 * overall(errors), worst.site->name,
                  100 * worst.relative),
      {{"format", format},
       {"layers", errors.size()},
       {"relative_error", overall(errors)},
       {"worst_layer", worst.site->name},
       {"worst_relative_error", worst.relative}}};
  if (subject.thorough) add_logits(subject, learner, finding);
  findings.push_back(std::move(finding));
}

}  // namespace inlay
