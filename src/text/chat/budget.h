// What one rendering may use. A template comes from a downloaded folder: without limits a few lines
// of it could loop for days or fill the memory.
//
//   Budget budget;
//   budget.step();                    // one more thing was done
//   Budget::Level level(budget);      // one level deeper until the end of the block
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/error.h"

namespace inlay::chat {

constexpr std::size_t kMaxSourceBytes = std::size_t{1} << 20;
constexpr std::size_t kMaxTextBytes = std::size_t{64} << 20;  // of one string, and of the output
constexpr std::size_t kMaxTotalTextBytes = std::size_t{256} << 20;  // of all strings made or read
constexpr uint64_t kMaxSteps = 5'000'000;  // evaluated pieces of the template and elements made
constexpr int64_t kMaxRange = 100'000;     // as Jinja's sandbox has it
constexpr int kMaxNesting = 120;           // of blocks and expressions in the source
constexpr int kMaxDepth = 1000;            // of evaluation: macros and recursive loops

class Budget {
 public:
  void step(uint64_t count = 1) {
    steps_ += count;
    require(steps_ <= kMaxSteps, ErrorKind::kInput,
            "rendering takes more than {} steps; the template loops too long", kMaxSteps);
  }

  void text(std::size_t bytes) {
    text_ += bytes;
    require(text_ <= kMaxTotalTextBytes, ErrorKind::kInput,
            "rendering handles more than {} MiB of strings; the template repeats text too often",
            kMaxTotalTextBytes >> 20);
  }

  class Level {
   public:
    explicit Level(Budget& budget) : budget_(budget) {
      require(budget.depth_ < kMaxDepth, ErrorKind::kInput,
              "macros, recursive loops or values are nested deeper than {} levels", kMaxDepth);
      ++budget_.depth_;
    }
    ~Level() { --budget_.depth_; }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;

   private:
    Budget& budget_;
  };

 private:
  uint64_t steps_ = 0;
  std::size_t text_ = 0;
  int depth_ = 0;
};

}  // namespace inlay::chat
