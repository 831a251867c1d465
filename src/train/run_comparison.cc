#include "train/run_comparison.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "adapters/storage.h"
#include "base/files.h"
#include "runs/metrics_log.h"

namespace inlay {
namespace {

namespace fs = std::filesystem;

// The folders with an adapter: the run's own, or fold-1, fold-2 ... in it, as "" or "fold-1".
std::vector<std::string> split_names(const RunFolder& run) {
  if (!fs::exists(run.path() / "fold-1")) return {""};
  std::vector<std::string> names;
  for (int number = 1; fs::exists(run.path() / fmt::format("fold-{}", number)); ++number)
    names.push_back(fmt::format("fold-{}", number));
  return names;
}

std::vector<fs::path> files_in(const fs::path& folder) {
  std::vector<fs::path> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  return names;
}

bool same_bytes(const fs::path& a, const fs::path& b) {
  return fs::is_regular_file(a) && fs::is_regular_file(b) && read_file(a) == read_file(b);
}

std::vector<std::string> differing_files(const RunFolder& before, const RunFolder& after) {
  std::vector<fs::path> names;
  for (const std::string& split : split_names(after)) {
    fs::path folder = fs::path(split) / "adapter";
    for (const fs::path& file : files_in(after.path() / folder)) names.push_back(folder / file);
  }
  names.emplace_back("predictions.jsonl");
  std::vector<std::string> differing;
  for (const fs::path& name : names) {
    if (!same_bytes(before.path() / name, after.path() / name)) differing.push_back(name.string());
  }
  return differing;
}

std::vector<const Parameter*> parameters_of(LoadedAdapter& loaded) {
  std::vector<const Parameter*> all;
  if (loaded.adapter != nullptr) {
    for (Adapter::Entry& entry : loaded.adapter->entries()) all.push_back(&entry.parameter);
  }
  if (loaded.head != nullptr) {
    for (Parameter& parameter : loaded.head->parameters()) all.push_back(&parameter);
  }
  return all;
}

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && a.dtype() == b.dtype() &&
         std::memcmp(a.bytes().data(), b.bytes().data(), a.bytes().size()) == 0;
}

// Nothing when the adapters are equal; a text that says why when one cannot be read.
std::optional<std::string> first_differing_tensor(const fs::path& a, const fs::path& b,
                                                  const BaseFacts& base) try {
  LoadedAdapter left = load_adapter(a, base), right = load_adapter(b, base);
  std::vector<const Parameter*> ours = parameters_of(left), theirs = parameters_of(right);
  for (std::size_t i = 0; i < std::min(ours.size(), theirs.size()); ++i) {
    if (!same_bits(ours[i]->value(), theirs[i]->value())) return theirs[i]->name();
  }
  return std::nullopt;
} catch (const Error& error) {
  return error.what();
}

std::string first_differing_tensor(const RunFolder& before, const RunFolder& after,
                                   const BaseFacts& base) {
  for (const std::string& split : split_names(after)) {
    auto found = first_differing_tensor(before.path() / split / "adapter",
                                        after.path() / split / "adapter", base);
    if (found.has_value()) return split.empty() ? *found : split + ": " + *found;
  }
  return "";
}

// The losses and gradient norms of all steps, in order; numbers in the log are exact.
std::vector<Json> steps_of(const RunFolder& run) {
  std::vector<Json> steps;
  for (const Json& record : read_metrics(run.metrics())) {
    if (record.contains("gradient_norm"))
      steps.push_back({{"fold", record.at("fold")},
                       {"step", record.at("step")},
                       {"loss", record.at("loss")},
                       {"gradient_norm", record.at("gradient_norm")}});
  }
  return steps;
}

std::string first_differing_step(const RunFolder& before, const RunFolder& after) {
  std::vector<Json> ours = steps_of(before), theirs = steps_of(after);
  bool folded = !split_names(after)[0].empty();
  for (std::size_t i = 0; i < std::max(ours.size(), theirs.size()); ++i) {
    if (i < ours.size() && i < theirs.size() && ours[i] == theirs[i]) continue;
    const Json& at = i < theirs.size() ? theirs[i] : ours[i];
    std::string step = std::to_string(at.at("step").get<int64_t>());
    return folded ? fmt::format("{} of fold {}", step, at.at("fold").get<int64_t>() + 1) : step;
  }
  return "";
}

}  // namespace

RunComparison compare_runs(const RunFolder& before, const RunFolder& after, const Model& model) {
  RunComparison comparison;
  for (ManifestDifference& found :
       diff_manifests(read_manifest(before.manifest()), read_manifest(after.manifest()))) {
    auto& list = found.pointer.starts_with("/tool/") ? comparison.tool : comparison.differences;
    list.push_back(std::move(found));
  }
  comparison.files = differing_files(before, after);
  comparison.first_tensor = first_differing_tensor(before, after, model.facts());
  comparison.first_step = first_differing_step(before, after);
  return comparison;
}

}  // namespace inlay
