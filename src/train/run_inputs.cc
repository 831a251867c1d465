#include "train/run_inputs.h"

#include <fmt/format.h>

namespace inlay {
namespace {

void check_hash(std::string_view what, const std::string& recorded, const std::string& found,
                std::string_view where) {
  require(recorded == found, ErrorKind::kInput,
          "{} is not what the run was trained on: its SHA-256 is {}, expected {} ({}). Restore it, "
          "or measure the adapter on it with --model, --adapter and --data",
          what, found, recorded, where);
}

}  // namespace

Json run_inputs(const Workbench& bench) {
  Json files = Json::array();
  for (const DataFile& file : bench.data.files)
    files.push_back({{"path", file.path}, {"sha256", file.sha256}});
  Json inputs{{"base", bench.model->facts().root_hash},
              {"tokenizer", bench.reader_hash()},
              {"files", files}};
  for (const auto& [name, loaded] : bench.adapters)
    inputs["adapters"][name] = adapter_hash(loaded.adapter.get(), nullptr);
  return inputs;
}

void check_inputs(const Json& recorded, const Workbench& bench, std::string_view where) {
  const BaseFacts& base = bench.model->facts();
  check_hash("the base in " + base.folder.string(), json_get<std::string>(recorded, "base", where),
             base.root_hash, where);
  check_hash((base.images ? "the preprocessor in " : "the tokenizer in ") + base.folder.string(),
             json_get<std::string>(recorded, "tokenizer", where), bench.reader_hash(), where);
  require(recorded.contains("files") && recorded.at("files").is_array(), ErrorKind::kInput,
          "{}: expected a list \"files\"", where);
  const Json& files = recorded.at("files");
  require(files.size() == bench.data.files.size(), ErrorKind::kInput,
          "the run was trained on {} data files, now there are {} ({}); restore them", files.size(),
          bench.data.files.size(), where);
  for (const auto& [name, loaded] : bench.adapters) {
    std::string where_of = fmt::format("{}: adapters", where);
    check_hash(
        "the adapter " + name,
        json_get<std::string>(recorded.value("adapters", Json::object()), name.c_str(), where_of),
        adapter_hash(loaded.adapter.get(), nullptr), where);
  }
  for (std::size_t i = 0; i < files.size(); ++i) {
    check_hash(bench.data.files[i].path, json_get<std::string>(files[i], "sha256", where),
               bench.data.files[i].sha256, where);
  }
}

}  // namespace inlay
