// A SQLite file and its statements, with errors that say what is wrong with the file and what to
// do.
//
//   Database db = Database::open(path, {.mode = Database::Mode::kCreate});
//   Statement find = db.prepare("SELECT name FROM entries WHERE path = ?");
//   find.bind(1, path.string());
//   while (find.step()) names.push_back(find.text(0));
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

struct sqlite3;
struct sqlite3_stmt;

namespace inlay {

class Database;

class Statement {
 public:
  // Parameters are counted from 1.
  void bind(int index, const std::string& value);
  void bind(int index, std::optional<int64_t> value);  // nothing is NULL
  void bind(int index, std::optional<double> value);
  // True while there is a row.
  bool step();
  // Runs to the end and makes it ready for new values.
  void run();

  // Of the row; columns are counted from 0. NULL is "" or nothing.
  std::string text(int column) const;
  std::optional<int64_t> integer(int column) const;
  std::optional<double> number(int column) const;

 private:
  friend class Database;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  Statement(const Database& database, sqlite3_stmt* statement)
      : database_(&database), statement_(statement) {}
  const Database* database_;  // outlives the statement
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

class Database {
 public:
  enum class Mode { kCreate, kExisting };
  struct Options {
    Mode mode = Mode::kExisting;
    int busy_milliseconds = 5000;  // how long to wait for another program's transaction
    std::string remedy;            // ends the message about a damaged or locked file
  };
  // kInput for a file that is no SQLite database, damaged or locked: another file in its place
  // would do. kIo for one that cannot be opened, and a full disk. What is wrong may be noticed
  // later, by any call.
  static Database open(const std::filesystem::path& path, Options options);

  Statement prepare(const std::string& sql) const;
  void run(const std::string& sql) const;         // one statement without parameters
  int64_t integer(const std::string& sql) const;  // the first column of its first row

  // Fails with the reason for a result code of SQLite that is neither OK, ROW nor DONE.
  void check(int code) const;

 private:
  struct Close {
    void operator()(sqlite3* handle) const;
  };
  Database(std::filesystem::path path, Options options)
      : path_(std::move(path)), options_(std::move(options)) {}
  std::filesystem::path path_;
  Options options_;
  std::unique_ptr<sqlite3, Close> handle_;
};

// Several statements that happen together or not at all; one writer at a time. Undone at the end of
// its life unless committed.
class WriteTransaction {
 public:
  explicit WriteTransaction(const Database& database);
  ~WriteTransaction();
  WriteTransaction(const WriteTransaction&) = delete;
  WriteTransaction& operator=(const WriteTransaction&) = delete;
  void commit();

 private:
  const Database& database_;
  bool open_ = true;
};

}  // namespace inlay
