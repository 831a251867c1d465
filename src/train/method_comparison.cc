#include "train/method_comparison.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "base/error.h"
#include "base/files.h"
#include "eval/statistics.h"
#include "runs/manifest.h"
#include "runs/run_folder.h"
#include "train/registry_entries.h"
#include "train/training_run.h"

namespace inlay {
namespace {

namespace fs = std::filesystem;

int64_t safetensors_bytes(const fs::path& folder) {
  int64_t bytes = 0;
  for (const auto& file : fs::directory_iterator(folder)) {
    if (file.path().extension() == ".safetensors") bytes += static_cast<int64_t>(file.file_size());
  }
  return bytes;
}

void read_manifest_figures(ComparedRun& run, const Json& manifest) {
  double seconds = 0;
  for (const Json& step : manifest.at("steps"))
    run.epochs += static_cast<int64_t>(step.at("evaluations").size());
  for (const Json& split : manifest.at("environment").at("train_seconds"))
    seconds += split.get<double>();
  run.epoch_seconds = seconds / static_cast<double>(std::max<int64_t>(1, run.epochs));
  run.peak_rss_bytes = manifest.at("environment").at("peak_rss_bytes").get<int64_t>();
  run.examples =
      canonical_json({manifest.at("base").at("root_hash"), manifest.at("data").at("files"),
                      manifest.at("data").at("split").at("order_hash")});
}

std::map<std::string, bool> right_answers(const fs::path& predictions) {
  std::map<std::string, bool> right;
  std::string text = read_file(predictions);
  std::size_t begin = 0;
  while (begin < text.size()) {
    std::size_t end = std::min(text.find('\n', begin), text.size());
    Json line = parse_json(std::string_view(text).substr(begin, end - begin), predictions.string());
    begin = end + 1;
    bool simple = line.contains("label") && line.contains("truth") && line.at("label").is_string();
    if (!simple) return {};
    right[json_get<std::string>(line, "row", predictions.string())] =
        line.at("label") == line.at("truth");
  }
  return right;
}

using RunsBySeed = std::map<int64_t, const ComparedRun*>;

RunsBySeed finished_runs(const std::vector<ComparedRun>& runs, const std::string& method) {
  RunsBySeed found;
  for (const ComparedRun& run : runs) {
    if (run.method == method && run.error.empty()) found[run.seed] = &run;
  }
  return found;
}

double mean_of(const RunsBySeed& runs, double (*figure)(const ComparedRun&)) {
  double sum = 0;
  for (const auto& [seed, run] : runs) sum += figure(*run);
  return sum / static_cast<double>(runs.size());
}

double value_of(const ComparedRun& run) { return run.value; }

// The sample's standard deviation; nothing for one run.
Json deviation(const RunsBySeed& runs) {
  if (runs.size() < 2) return {};
  double mean = mean_of(runs, value_of), square = 0;
  for (const auto& [seed, run] : runs) square += (run->value - mean) * (run->value - mean);
  return std::sqrt(square / static_cast<double>(runs.size() - 1));
}

// A test row's answers over the seeds in which it was tested.
struct RowAnswers {
  double count = 0;
  double right = 0;
  double baseline_right = 0;
};

using SharedRuns = std::vector<std::pair<const ComparedRun*, const ComparedRun*>>;

std::vector<RowAnswers> answers_by_row(const SharedRuns& shared) {
  std::map<std::string, RowAnswers> rows;
  for (const auto& [run, baseline] : shared) {
    for (const auto& [row, right] : run->right) {
      auto other = baseline->right.find(row);
      if (other == baseline->right.end()) return {};
      RowAnswers& answers = rows[row];
      answers.count += 1;
      answers.right += right ? 1 : 0;
      answers.baseline_right += other->second ? 1 : 0;
    }
  }
  std::vector<RowAnswers> list;
  list.reserve(rows.size());
  for (const auto& [row, answers] : rows) list.push_back(answers);
  return list;
}

ResampledMetric share_of(const std::vector<RowAnswers>& rows, double RowAnswers::*right) {
  return [&rows, right](std::span<const std::size_t> drawn) -> std::optional<double> {
    double sum = 0, count = 0;
    for (std::size_t row : drawn) {
      sum += rows[row].*right;
      count += rows[row].count;
    }
    return sum / count;
  };
}

Json difference_json(const RunsBySeed& runs, const RunsBySeed& baseline) {
  SharedRuns shared;
  double sum = 0;
  for (const auto& [seed, run] : runs) {
    auto other = baseline.find(seed);
    if (other == baseline.end()) continue;
    shared.emplace_back(run, other->second);
    sum += run->value - other->second->value;
  }
  if (shared.empty()) return {};
  Json json{{"mean", sum / static_cast<double>(shared.size())}, {"seeds", shared.size()}};
  if (shared[0].first->metric != "accuracy") return json;
  std::vector<RowAnswers> rows = answers_by_row(shared);
  if (rows.empty()) return json;
  std::optional<Interval> interval =
      paired_bootstrap(rows.size(), share_of(rows, &RowAnswers::right),
                       share_of(rows, &RowAnswers::baseline_right), {});
  if (interval.has_value()) json["interval"] = {interval->low, interval->high};
  return json;
}

Json run_json(const ComparedRun& run) {
  return {{"seed", run.seed},
          {"folder", run.folder},
          {"value", run.value},
          {"parameters", run.parameters},
          {"file_bytes", run.file_bytes},
          {"epochs", run.epochs},
          {"epoch_seconds", run.epoch_seconds},
          {"peak_rss_bytes", run.peak_rss_bytes}};
}

void add_figures(Json& json, const RunsBySeed& runs) {
  const ComparedRun& first = *runs.begin()->second;
  int64_t file_bytes = 0, peak = 0;
  for (const auto& [seed, run] : runs) {
    file_bytes = std::max(file_bytes, run->file_bytes);
    peak = std::max(peak, run->peak_rss_bytes);
  }
  json["mean"] = mean_of(runs, value_of);
  json["sd"] = deviation(runs);
  json["parameters"] = first.parameters;
  json["file_bytes"] = file_bytes;
  json["epoch_seconds"] = mean_of(runs, [](const ComparedRun& run) { return run.epoch_seconds; });
  json["peak_rss_bytes"] = peak;
}

Json method_json(const std::vector<ComparedRun>& runs, const std::string& method,
                 const std::string& baseline) {
  RunsBySeed own = finished_runs(runs, method);
  Json json{{"method", method}, {"runs", Json::array()}, {"errors", Json::array()}};
  for (const ComparedRun& run : runs) {
    if (run.method != method) continue;
    if (run.error.empty()) {
      json["runs"].push_back(run_json(run));
    } else {
      json["errors"].push_back({{"seed", run.seed}, {"error", run.error}});
    }
  }
  if (own.empty()) return json;
  add_figures(json, own);
  if (method != baseline) json["difference"] = difference_json(own, finished_runs(runs, baseline));
  return json;
}

// Figures over other examples, or of another kind, are not comparable.
void refuse_other_examples(std::vector<ComparedRun>& runs, const std::string& baseline) {
  RunsBySeed expected = finished_runs(runs, baseline);
  for (ComparedRun& run : runs) {
    auto found = expected.find(run.seed);
    if (found == expected.end() || !run.error.empty()) continue;
    if (run.examples != found->second->examples) {
      run.error = fmt::format("its base, data or split is not that of {}", baseline);
    } else if (run.metric != found->second->metric) {
      run.error = fmt::format("it has no {}, which {} has", found->second->metric, baseline);
    }
  }
}

}  // namespace

ComparedRun read_compared_run(const fs::path& folder, const std::string& method, int64_t seed) {
  RunFolder opened = RunFolder::open(folder);
  TrainConfig config = read_run_config(folder);
  require(config.method == method && config.seed == seed, ErrorKind::kInput,
          "{} is a run of method \"{}\" with seed {}; expected \"{}\" with seed {}",
          folder.string(), config.method, config.seed, method, seed);
  std::vector<RegistryEntry> entries = run_entries(folder);
  require(entries[0].value.has_value() && entries.size() > 1, ErrorKind::kInput,
          "{} has no figure over test examples; give the data a test part", folder.string());
  ComparedRun run{.method = method, .seed = seed};
  run.folder = folder.string();
  run.metric = entries[0].metric;
  run.value = *entries[0].value;
  run.parameters = entries[1].parameters.value_or(0);
  run.file_bytes = safetensors_bytes(entries[1].path);
  read_manifest_figures(run, read_manifest(opened.manifest()));
  run.right = right_answers(opened.predictions());
  return run;
}

Json comparison_json(std::vector<ComparedRun> runs, const std::string& baseline) {
  refuse_other_examples(runs, baseline);
  Json methods = Json::array();
  std::set<std::string> seen;
  std::set<int64_t> seeds;
  std::string metric;
  for (const ComparedRun& run : runs) {
    seeds.insert(run.seed);
    if (run.error.empty() && metric.empty()) metric = run.metric;
    if (seen.insert(run.method).second) methods.push_back(method_json(runs, run.method, baseline));
  }
  return {{"metric", metric}, {"seeds", seeds}, {"baseline", baseline}, {"methods", methods}};
}

}  // namespace inlay
