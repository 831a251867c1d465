#include "runs/database.h"

#include <sqlite3.h>

#include "base/error.h"

namespace inlay {

void Statement::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

void Statement::bind(int index, const std::string& value) {
  database_->check(sqlite3_bind_text(statement_.get(), index, value.data(),
                                     static_cast<int>(value.size()), SQLITE_TRANSIENT));
}

void Statement::bind(int index, std::optional<int64_t> value) {
  database_->check(value.has_value() ? sqlite3_bind_int64(statement_.get(), index, *value)
                                     : sqlite3_bind_null(statement_.get(), index));
}

void Statement::bind(int index, std::optional<double> value) {
  database_->check(value.has_value() ? sqlite3_bind_double(statement_.get(), index, *value)
                                     : sqlite3_bind_null(statement_.get(), index));
}

bool Statement::step() {
  int code = sqlite3_step(statement_.get());
  database_->check(code);
  return code == SQLITE_ROW;
}

void Statement::run() {
  while (step()) {
  }
  database_->check(sqlite3_reset(statement_.get()));
}

std::string Statement::text(int column) const {
  const unsigned char* bytes = sqlite3_column_text(statement_.get(), column);
  if (bytes == nullptr) return "";
  return {reinterpret_cast<const char*>(bytes),
          static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

std::optional<int64_t> Statement::integer(int column) const {
  if (sqlite3_column_type(statement_.get(), column) == SQLITE_NULL) return std::nullopt;
  return sqlite3_column_int64(statement_.get(), column);
}

std::optional<double> Statement::number(int column) const {
  if (sqlite3_column_type(statement_.get(), column) == SQLITE_NULL) return std::nullopt;
  return sqlite3_column_double(statement_.get(), column);
}

void Database::Close::operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }

Database Database::open(const std::filesystem::path& path, Options options) {
  Database database(path, std::move(options));
  int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
  if (database.options_.mode == Mode::kCreate) flags |= SQLITE_OPEN_CREATE;
  sqlite3* handle = nullptr;
  int code = sqlite3_open_v2(path.c_str(), &handle, flags, nullptr);
  database.handle_.reset(handle);  // also after an error: it holds the message
  database.check(code);
  database.check(sqlite3_busy_timeout(handle, database.options_.busy_milliseconds));
  return database;
}

Statement Database::prepare(const std::string& sql) const {
  sqlite3_stmt* statement = nullptr;
  check(sqlite3_prepare_v2(handle_.get(), sql.c_str(), static_cast<int>(sql.size()), &statement,
                           nullptr));
  return {*this, statement};
}

void Database::run(const std::string& sql) const { prepare(sql).run(); }

int64_t Database::integer(const std::string& sql) const {
  Statement statement = prepare(sql);
  return statement.step() ? statement.integer(0).value_or(0) : 0;
}

void Database::check(int code) const {
  int primary = code & 0xff;
  if (primary == SQLITE_OK || primary == SQLITE_ROW || primary == SQLITE_DONE) return;
  std::string reason = handle_ ? sqlite3_errmsg(handle_.get()) : sqlite3_errstr(code);
  require(primary != SQLITE_NOTADB && primary != SQLITE_CORRUPT, ErrorKind::kInput,
          "{}: not a SQLite database, or a damaged one ({}); {}", path_.string(), reason,
          options_.remedy);
  require(primary != SQLITE_BUSY && primary != SQLITE_LOCKED, ErrorKind::kInput,
          "{}: another program has locked it (waited {:.1f} s); try again later, or {}",
          path_.string(), options_.busy_milliseconds / 1000.0, options_.remedy);
  fail(ErrorKind::kIo, "{}: {}", path_.string(), reason);
}

WriteTransaction::WriteTransaction(const Database& database) : database_(database) {
  database_.run("BEGIN IMMEDIATE");
}

WriteTransaction::~WriteTransaction() {
  if (!open_) return;
  try {
    database_.run("ROLLBACK");
  } catch (const Error&) {  // SQLite has already rolled back, or does when the file is closed
  }
}

void WriteTransaction::commit() {
  database_.run("COMMIT");
  open_ = false;
}

}  // namespace inlay
