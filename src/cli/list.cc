// inlay list: the adapters and runs that the registry knows, and making the registry anew.
#include <fmt/core.h>

#include <algorithm>

#include "base/log.h"
#include "base/text_table.h"
#include "base/units.h"
#include "cli/command.h"
#include "hub/pull.h"
#include "train/registry_scan.h"

namespace inlay::cli {
namespace {

namespace fs = std::filesystem;

struct ListOptions {
  Common common;
  bool runs = false;
  bool prune = false;
  RegistryFilter filter;
  std::vector<std::string> rebuild;
};

// Gone for sure: a folder that merely cannot be read is not.
bool vanished(const RegistryEntry& entry) {
  const char* file = entry.kind == RegistryKind::kRun ? "config.json" : "adapter_config.json";
  std::error_code error;
  return fs::status(fs::path(entry.path) / file, error).type() == fs::file_type::not_found;
}

Json entry_json(const RegistryEntry& entry) {
  Json json{{"kind", entry.kind == RegistryKind::kRun ? "run" : "adapter"},
            {"path", entry.path},
            {"name", entry.name},
            {"method", entry.method},
            {"settings", entry.settings},
            {"task", entry.task},
            {"base_name", entry.base_name},
            {"base_root_hash", entry.base_hash},
            {"metric", entry.metric},
            {"value", entry.value.has_value() ? Json(*entry.value) : Json()},
            {"parameters", entry.parameters.has_value() ? Json(*entry.parameters) : Json()},
            {"bytes", entry.bytes},
            {"when", entry.when},
            {"missing", vanished(entry)}};
  if (entry.kind == RegistryKind::kRun) json["finished"] = entry.finished;
  if (!entry.run.empty()) json["run"] = entry.run;
  return json;
}

// Paths and names are the file system's and other programs': what is no UTF-8 is replaced.
void print_entries(const std::vector<RegistryEntry>& entries) {
  Json list = Json::array();
  for (const RegistryEntry& entry : entries) list.push_back(entry_json(entry));
  fmt::print("{}\n", Json{{"entries", list}}.dump(-1, ' ', false, Json::error_handler_t::replace));
}

// For a terminal: no control characters, a dash for nothing.
std::string cell(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < 32 || c == 127; }, '?');
  return text.empty() ? "–" : text;
}

std::string base_cell(const RegistryEntry& entry) {
  std::string hash = entry.base_hash.substr(0, 8);
  return cell(entry.base_name + (hash.empty() || entry.base_name.empty() ? "" : " ") + hash);
}

std::string figure_cell(const RegistryEntry& entry) {
  if (!entry.finished) return "not finished";
  return entry.value.has_value() ? cell(fmt::format("{} {:.4f}", entry.metric, *entry.value)) : "–";
}

// "2026-03-01 14:05"
std::string when_text(std::string when) {
  std::replace(when.begin(), when.end(), 'T', ' ');
  return when.substr(0, 16);
}

std::vector<std::string> row_of(const RegistryEntry& entry) {
  return {cell(entry.name),
          cell(entry.method),
          cell(entry.task),
          base_cell(entry),
          figure_cell(entry),
          entry.parameters.has_value() ? format_count(*entry.parameters) : "–",
          format_bytes(static_cast<uint64_t>(entry.bytes)),
          cell(when_text(entry.when)),
          cell(entry.path) + (vanished(entry) ? "  (missing)" : "")};
}

void print_table(const std::vector<RegistryEntry>& entries) {
  TextTable table(
      {"name", "method", "task", "base", "figure", "parameters", "size", "when (UTC)", "path"});
  for (const RegistryEntry& entry : entries) table.add_row(row_of(entry));
  fmt::print("{}", table.text());
}

// "no adapter is known", with the filters that were asked for.
std::string nothing_text(const RegistryFilter& filter) {
  std::string text =
      fmt::format("no {} is known", filter.kind == RegistryKind::kRun ? "run" : "adapter");
  if (!filter.method.empty()) text += fmt::format(" of method \"{}\"", filter.method);
  if (!filter.task.empty()) text += fmt::format(" for task \"{}\"", filter.task);
  if (!filter.base.empty()) text += fmt::format(" on base \"{}\"", filter.base);
  return text + "; to look for some: inlay list --rebuild FOLDER";
}

void rebuild(const fs::path& registry, const std::vector<std::string>& names) {
  FolderScan scan = scan_folders({names.begin(), names.end()});
  for (const std::string& problem : scan.problems) log_warn("left out: {}", problem);
  if (scan.cut_short) log_warn("the folders are too many or too deep; not all were looked into");
  std::string unusable = rebuild_registry(registry, scan.roots, scan.entries, {});
  if (!unusable.empty())
    log_warn("the old registry was set aside as {}.unusable: {}", registry.string(), unusable);
  log_info("looked into {} folders: {} runs and adapters", format_count(scan.folders),
           scan.entries.size());
}

// Forgets entries of this listing that have vanished; all others stay.
void prune(Registry& registry, std::vector<RegistryEntry>& entries) {
  std::vector<std::string> gone;
  for (const RegistryEntry& entry : entries) {
    if (vanished(entry)) gone.push_back(entry.path);
  }
  registry.remove(gone);
  entries.erase(std::remove_if(entries.begin(), entries.end(), vanished), entries.end());
  log_info("forgot {} whose folder is gone", gone.size());
}

void run_list(ListOptions& options) {
  fs::path path = home_folder() / kRegistryFile;
  if (!options.rebuild.empty()) rebuild(path, options.rebuild);
  options.filter.kind = options.runs ? RegistryKind::kRun : RegistryKind::kAdapter;
  std::vector<RegistryEntry> entries;
  if (fs::exists(path)) {
    Registry registry = Registry::open(path, {.mode = Database::Mode::kExisting});
    entries = registry.list(options.filter);
    if (options.prune) prune(registry, entries);
  }
  if (options.common.json) return print_entries(entries);
  if (entries.empty()) return log_info("{}", nothing_text(options.filter));
  print_table(entries);
}

}  // namespace

void add_list(CLI::App& app) {
  auto options = std::make_shared<ListOptions>();
  CLI::App* command =
      app.add_subcommand("list", "List the adapters, or the runs, that were made on this machine");
  command->add_flag("--runs", options->runs, "runs in place of adapters");
  command->add_option("--method", options->filter.method, "only of this method, such as lora");
  command->add_option("--task", options->filter.task, "only for this task");
  command->add_option("--base", options->filter.base,
                      "only on this base: its folder's name, or the beginning of its root hash");
  command
      ->add_option("--rebuild", options->rebuild,
                   "first look through these folders and enter the runs and adapters found there")
      ->expected(1, -1);
  command->add_flag("--prune", options->prune, "forget those listed whose folders are gone");
  add_common(*command, options->common);
  command->footer(
      "Training enters what it has finished into registry.sqlite in INLAY_HOME (~/.cache/inlay).\n"
      "Nothing depends on that file: --rebuild makes it anew from the folders themselves. Links\n"
      "and folders whose names begin with a dot are not followed.\n" +
      examples({"inlay list", "inlay list --runs --task text-classification",
                "inlay list --method lora --base all-minilm-l6-v2 --json",
                "inlay list --rebuild runs ~/adapters", "inlay list --prune"}));
  command->callback([options] { run_list(*options); });
}

}  // namespace inlay::cli
