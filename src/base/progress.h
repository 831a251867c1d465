// One line on stderr that says how far a long piece of work is: drawn over itself on a terminal,
// printed now and then as an ordinary line elsewhere, so that a log file stays short.
//
//   ProgressLine line;
//   for (...) line.update(fmt::format("epoch {}/{}  loss {:.4f}", epoch, epochs, loss));
//   line.finish();
#pragma once

#include <cstdio>
#include <string>
#include <string_view>

namespace inlay {

struct ProgressTarget {
  std::FILE* stream = nullptr;
  bool redraws = false;         // a terminal
  double seconds_between = 10;  // between two lines, or two drawings
};

// stderr: ten drawings a second on a terminal, a line every ten seconds elsewhere.
ProgressTarget stderr_progress();

class ProgressLine {
 public:
  explicit ProgressLine(ProgressTarget target = stderr_progress()) : target_(target) {}
  ~ProgressLine() { finish(); }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  // Cheap enough for every step: most calls only remember the text.
  void update(const std::string& text);

  // Shows the last text if it is not on screen yet and ends the line. Further updates start a new
  // one.
  void finish();

 private:
  void show();

  ProgressTarget target_;
  std::string text_;
  bool started_ = false;  // something was shown since the last finish()
  bool shown_ = true;     // text_ is what was shown last
  double last_ = 0;       // when, in seconds of a steady clock
};

// The first `width` characters of UTF-8 text, line breaks made blanks.
std::string fit_line(std::string_view text, std::size_t width);

}  // namespace inlay
