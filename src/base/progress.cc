#include "base/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <chrono>

namespace inlay {

namespace {

double steady_seconds() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double>(now).count();
}

std::size_t terminal_width(std::FILE* stream) {
  winsize size{};
  if (ioctl(fileno(stream), TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

}  // namespace

ProgressTarget stderr_progress() {
  const bool terminal = isatty(STDERR_FILENO) != 0;
  return {stderr, terminal, terminal ? 0.1 : 10};
}

std::string fit_line(std::string_view text, std::size_t width) {
  std::string line;
  std::size_t characters = 0;
  for (const char c : text) {
    const bool continues = (static_cast<unsigned char>(c) & 0xC0) == 0x80;
    if (!continues && ++characters > width) break;
    line += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return line;
}

void ProgressLine::update(const std::string& text) {
  text_ = text;
  shown_ = false;
  if (!started_ || steady_seconds() - last_ >= target_.seconds_between) show();
}

void ProgressLine::finish() {
  if (!shown_) show();
  if (started_ && target_.redraws) {
    std::fputc('\n', target_.stream);
    std::fflush(target_.stream);
  }
  started_ = false;
}

void ProgressLine::show() {
  std::string line = target_.redraws ? "\r" + fit_line(text_, terminal_width(target_.stream) - 1)
                                     : fit_line(text_, text_.size());
  line += target_.redraws ? "\033[K" : "\n";
  std::fwrite(line.data(), 1, line.size(), target_.stream);
  std::fflush(target_.stream);
  last_ = steady_seconds();
  started_ = true;
  shown_ = true;
}

}  // namespace inlay
