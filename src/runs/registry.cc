#include "runs/registry.h"

#include <system_error>

#include "base/error.h"

namespace inlay {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kApplication = 0x496e6c79;  // "Inly": PRAGMA application_id of our files
constexpr int64_t kVersion = 1;
constexpr const char* kRemedy = "make it anew with: inlay list --rebuild FOLDER...";

constexpr const char* kTable =
    "CREATE TABLE entries (path TEXT PRIMARY KEY, kind INTEGER NOT NULL, name TEXT NOT NULL, "
    "method TEXT NOT NULL, settings TEXT NOT NULL, task TEXT NOT NULL, base_name TEXT NOT NULL, "
    "base_hash TEXT NOT NULL, metric TEXT NOT NULL, value REAL, parameters INTEGER, "
    "bytes INTEGER NOT NULL, finished_at TEXT NOT NULL, run TEXT NOT NULL, "
    "finished INTEGER NOT NULL) WITHOUT ROWID";
constexpr const char* kInsert =
    "INSERT OR REPLACE INTO entries (path, kind, name, method, settings, task, base_name, "
    "base_hash, metric, value, parameters, bytes, finished_at, run, finished) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
constexpr const char* kSelect =
    "SELECT path, kind, name, method, settings, task, base_name, base_hash, metric, value, "
    "parameters, bytes, finished_at, run, finished FROM entries "
    "WHERE (?1 IS NULL OR kind = ?1) AND (?2 = '' OR method = ?2) AND (?3 = '' OR task = ?3) "
    "AND (?4 = '' OR base_name = ?4 OR substr(base_hash, 1, length(?4)) = ?4) "
    "ORDER BY finished_at DESC, path";

// An empty file becomes a registry. A second program may be making the same one.
void make_table(const Database& database) {
  WriteTransaction transaction(database);
  if (database.integer("SELECT count(*) FROM sqlite_master") > 0) return;
  database.run(fmt::format("PRAGMA application_id = {}", kApplication));
  database.run(fmt::format("PRAGMA user_version = {}", kVersion));
  database.run(kTable);
  transaction.commit();
}

void check_format(const Database& database, const fs::path& path) {
  int64_t application = database.integer("PRAGMA application_id");
  require(application == kApplication, ErrorKind::kInput,
          "{}: a SQLite database, but not Inlay's registry; {}", path.string(), kRemedy);
  int64_t version = database.integer("PRAGMA user_version");
  require(version == kVersion, ErrorKind::kInput,
          "{}: a registry of version {}; this program reads version {}; {}", path.string(), version,
          kVersion, kRemedy);
}

void make_parent(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  require(!error, ErrorKind::kIo, "cannot make the folder {}: {}", path.parent_path().string(),
          error.message());
}

RegistryEntry entry_of(const Statement& row) {
  RegistryEntry entry;
  entry.path = row.text(0);
  entry.kind = row.integer(1) == 1 ? RegistryKind::kRun : RegistryKind::kAdapter;
  entry.name = row.text(2);
  entry.method = row.text(3);
  entry.settings = row.text(4);
  entry.task = row.text(5);
  entry.base_name = row.text(6);
  entry.base_hash = row.text(7);
  entry.metric = row.text(8);
  entry.value = row.number(9);
  entry.parameters = row.integer(10);
  entry.bytes = row.integer(11).value_or(0);
  entry.when = row.text(12);
  entry.run = row.text(13);
  entry.finished = row.integer(14) != 0;
  return entry;
}

std::optional<int64_t> kind_number(RegistryKind kind) { return kind == RegistryKind::kRun ? 1 : 0; }

// The file and the journal that a writer may have left beside it.
void set_aside(const fs::path& path) {
  for (const char* ending : {"", "-journal", "-wal", "-shm"}) {
    fs::path from = path.string() + ending;
    if (!fs::exists(fs::symlink_status(from))) continue;
    std::error_code error;
    fs::rename(from, path.string() + ".unusable" + ending, error);
    require(!error, ErrorKind::kIo, "{} cannot be set aside: {}", from.string(), error.message());
  }
}

}  // namespace

Registry Registry::open(const fs::path& path, const Options& options) {
  if (options.mode == Database::Mode::kCreate) make_parent(path);
  Database database = Database::open(
      path,
      {.mode = options.mode, .busy_milliseconds = options.busy_milliseconds, .remedy = kRemedy});
  if (database.integer("SELECT count(*) FROM sqlite_master") == 0) make_table(database);
  check_format(database, path);
  return Registry(std::move(database));
}

void Registry::insert(std::span<const RegistryEntry> entries) {
  Statement insert = database_.prepare(kInsert);
  for (const RegistryEntry& entry : entries) {
    insert.bind(1, entry.path);
    insert.bind(2, kind_number(entry.kind));
    insert.bind(3, entry.name);
    insert.bind(4, entry.method);
    insert.bind(5, entry.settings);
    insert.bind(6, entry.task);
    insert.bind(7, entry.base_name);
    insert.bind(8, entry.base_hash);
    insert.bind(9, entry.metric);
    insert.bind(10, entry.value);
    insert.bind(11, entry.parameters);
    insert.bind(12, std::optional<int64_t>(entry.bytes));
    insert.bind(13, entry.when);
    insert.bind(14, entry.run);
    insert.bind(15, std::optional<int64_t>(entry.finished ? 1 : 0));
    insert.run();
  }
}

void Registry::put(std::span<const RegistryEntry> entries) {
  WriteTransaction transaction(database_);
  insert(entries);
  transaction.commit();
}

void Registry::replace_below(std::span<const std::string> folders,
                             std::span<const RegistryEntry> entries) {
  WriteTransaction transaction(database_);
  Statement forget =
      database_.prepare("DELETE FROM entries WHERE path = ?1 OR (path >= ?2 AND path < ?3)");
  for (const std::string& folder : folders) {
    std::string stem = folder == "/" ? "" : folder;
    forget.bind(1, folder);
    forget.bind(2, stem + "/");
    forget.bind(3, stem + "0");  // the character after '/'
    forget.run();
  }
  insert(entries);
  transaction.commit();
}

void Registry::remove(std::span<const std::string> paths) {
  WriteTransaction transaction(database_);
  Statement forget = database_.prepare("DELETE FROM entries WHERE path = ?");
  for (const std::string& path : paths) {
    forget.bind(1, path);
    forget.run();
  }
  transaction.commit();
}

void Registry::check_whole() const {
  Statement check = database_.prepare("PRAGMA quick_check(1)");
  std::string found = check.step() ? check.text(0) : "nothing";
  require(found == "ok", ErrorKind::kInput, "the registry is damaged: {}", found);
}

std::vector<RegistryEntry> Registry::list(const RegistryFilter& filter) const {
  Statement select = database_.prepare(kSelect);
  std::optional<int64_t> kind;
  if (filter.kind.has_value()) kind = kind_number(*filter.kind);
  select.bind(1, kind);
  select.bind(2, filter.method);
  select.bind(3, filter.task);
  select.bind(4, filter.base);
  std::vector<RegistryEntry> entries;
  while (select.step()) entries.push_back(entry_of(select));
  return entries;
}

std::string rebuild_registry(const fs::path& path, std::span<const std::string> folders,
                             std::span<const RegistryEntry> entries,
                             const Registry::Options& options) {
  try {
    Registry registry = Registry::open(path, options);
    registry.check_whole();
    registry.replace_below(folders, entries);
    return "";
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kInput) throw;
    std::string reason = error.what();
    set_aside(path);
    Registry::open(path, options).replace_below(folders, entries);
    return reason;
  }
}

}  // namespace inlay
