// A string that remembers where its characters came from: the template, one message of the
// conversation, or a variable of the caller. Marks survive joining, cutting and change of case.
//
//   MarkedText text("<|user|>");                     // the template's
//   text.append("hello", Mark{.message = 0});        // the first message's
//   text.slice(6, 10).mark_at(2).message             // 0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace inlay::chat {

constexpr int32_t kFromTemplate = -1;
constexpr int32_t kFromVariable = -2;  // tools and further variables of the caller

struct Mark {
  int32_t message = kFromTemplate;  // index of the message, or one of the constants above
  bool role = false;                // the message's "role", a word that nobody spoke
  bool generation = false;          // rendered inside {% generation %}
  bool operator==(const Mark&) const = default;
};

class MarkedText {
 public:
  // Bytes from the end of the run before up to `end`.
  struct Run {
    std::size_t end;
    Mark mark;
  };

  MarkedText() = default;
  explicit MarkedText(std::string_view bytes, Mark mark = {}) { append(bytes, mark); }

  const std::string& bytes() const { return bytes_; }
  const std::vector<Run>& runs() const { return runs_; }
  std::size_t size() const { return bytes_.size(); }
  bool empty() const { return bytes_.empty(); }
  Mark mark_at(std::size_t byte) const;  // REQUIRES: byte < size()

  // A text that would pass kMaxTextBytes is an Error.
  void append(std::string_view bytes, Mark mark);
  void append(const MarkedText& other) { append(other, 0, other.size()); }
  void append(const MarkedText& other, std::size_t begin, std::size_t end);

  // Bytes [begin, end). REQUIRES: begin <= end <= size().
  MarkedText slice(std::size_t begin, std::size_t end) const;

  void mark_generation();

 private:
  std::vector<Run>::const_iterator run_at(std::size_t byte) const;

  std::string bytes_;
  std::vector<Run> runs_;
};

}  // namespace inlay::chat
