#include "base/progress.h"

#include <gtest/gtest.h>

#include <functional>

namespace inlay {
namespace {

// What a progress line that redraws, or not, writes at most every `seconds`.
std::string written(bool redraws, double seconds, const std::function<void(ProgressLine&)>& use) {
  std::FILE* stream = std::tmpfile();
  {
    ProgressLine line({stream, redraws, seconds});
    use(line);
  }
  std::string text(static_cast<std::size_t>(std::ftell(stream)), '\0');
  std::rewind(stream);
  EXPECT_EQ(std::fread(text.data(), 1, text.size(), stream), text.size());
  std::fclose(stream);
  return text;
}

TEST(Progress, PrintsTheFirstAndTheLastLineWhenUpdatesComeFast) {
  const auto text = written(false, 1e9, [](ProgressLine& line) {
    for (int step = 1; step <= 100; ++step) line.update("step " + std::to_string(step));
  });
  EXPECT_EQ(text, "step 1\nstep 100\n");
}

TEST(Progress, RedrawsOnATerminalAndEndsTheLineOnce) {
  const auto text = written(true, 0, [](ProgressLine& line) {
    line.update("long text");
    line.update("short");
    line.finish();
    line.finish();
  });
  EXPECT_EQ(text, "\rlong text\033[K\rshort\033[K\n");
}

TEST(Progress, SaysNothingWhenNothingHappened) {
  EXPECT_EQ(written(true, 0, [](ProgressLine&) {}), "");
}

TEST(Progress, StartsAgainAfterFinish) {
  const auto text = written(false, 1e9, [](ProgressLine& line) {
    line.update("a");
    line.finish();
    line.update("b");
  });
  EXPECT_EQ(text, "a\nb\n");
}

TEST(Progress, CutsALineAtCharactersNotBytes) {
  EXPECT_EQ(fit_line("größer", 4), "größ");
  EXPECT_EQ(fit_line("a\nb\033c", 10), "a b c");
}

}  // namespace
}  // namespace inlay
