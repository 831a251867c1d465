#include "train/run_manifest.h"

#include "base/hash.h"
#include "tensor/threads.h"

namespace inlay {
namespace {

BaseRecord base_record(const Workbench& bench) {
  const BaseFacts& facts = bench.model->facts();
  BaseRecord base{facts.folder.filename().string(), bench.config.model, facts.root_hash, {}};
  for (const std::string& name : bench.model->checkpoint().names())
    base.tensors[name] = bench.model->checkpoint().tensor_hash(name);
  return base;
}

// SHA-256 over which examples are in which part, over all splits.
std::string splits_hash(const Workbench& bench) {
  Sha256 order;
  for (const Split& split : bench.splits) {
    for (const auto* part : {&split.train, &split.validation, &split.test})
      order.update(order_hash(*part));
  }
  return hex(order.finish());
}

// Files by their names alone: the same data in another place is the same data.
DataRecord data_record(const Workbench& bench, const Json& duplicates) {
  DataRecord data;
  for (const DataFile& file : bench.data.files) {
    data.files.push_back({std::filesystem::path(file.path).filename().string(), file.sha256,
                          static_cast<int64_t>(file.rows)});
  }
  data.columns = {{"text", bench.data.columns.text.name},
                  {"text_pair", bench.data.columns.text_pair.name},
                  {"label", bench.data.columns.label.name}};
  for (const ColumnChoice::One& one : bench.data.columns.further)
    data.columns[fmt::format("further {}", data.columns.size() - 2)] = one.name;
  data.split.seed = bench.config.seed;
  data.split.order_hash = splits_hash(bench);
  data.split.parts = {{"validation", bench.config.validation_share},
                      {"test", bench.config.test_share},
                      {"folds", bench.config.folds},
                      {"shots", bench.config.shots}};
  data.split.counts = {{"examples", static_cast<int64_t>(bench.data.examples.size())},
                       {"cut to the longest input", bench.truncated}};
  if (bench.unreadable > 0)
    data.split.counts["left out as unreadable"] = static_cast<int64_t>(bench.unreadable);
  data.duplicates = duplicates;
  return data;
}

Json arithmetic(const Workbench& bench) {
  int64_t chunk = bench.make_learner(bench.splits[0]).gradient_chunk();
  return {{"same_bits_for", "any number of threads and any micro-batch split"},
          {"random", "Philox4x32-10; the key is a hash of the seed and the stream's name"},
          {"gradient_chunk", chunk},
          {"types",
           {{"products", bench.config.compute},
            {"sums", "f32"},
            {"trained", "f32"},
            {"optimizer", "f32"}}}};
}

}  // namespace

Manifest make_manifest(const Workbench& bench, const std::vector<Json>& splits, const Json& summary,
                       const std::string& predictions_hash) {
  Manifest manifest;
  manifest.base = base_record(bench);
  manifest.tokenizer_hash = bench.reader_hash();
  manifest.data = data_record(bench, summary.at("duplicates"));
  manifest.config = to_json(bench.config);
  manifest.config["method_settings"] = bench.make_learner(bench.splits[0]).adapter->config();
  manifest.arithmetic = arithmetic(bench);
  manifest.adapter = {splits[0].at("init_hash"), splits[0].at("output_hash")};
  manifest.steps = Json::array();
  Json seconds = Json::array();
  for (const Json& split : splits) {
    Json record;
    for (const char* key :
         {"init_hash", "output_hash", "steps", "evaluations", "counts", "best_epoch"})
      record[key] = split.at(key);
    manifest.steps.push_back(record);
    seconds.push_back(split.at("train_seconds"));
  }
  manifest.evaluations.push_back({{"split", "test"},
                                  {"n", summary.at("n")},
                                  {"metrics", summary.at("metrics")},
                                  {"predictions_sha256", predictions_hash}});
  manifest.environment = environment_facts();
  manifest.environment["threads"] = thread_count();
  manifest.environment["memory"] = memory_mode_name(bench.memory.mode);
  manifest.environment["seconds"] = summary.at("seconds");
  manifest.environment["train_seconds"] = seconds;
  return manifest;
}

}  // namespace inlay
