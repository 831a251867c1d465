// Pictures that are decoded, changed and normalised by threads of their own while the step before
// theirs runs. What the step needs and no thread has begun is read in the step, as without this, so
// that it never waits for a picture longer than reading it takes; the bits are the same. Texts pass
// through untouched.
//
//   PixelsAhead ahead;
//   auto pose = [&](std::size_t b) { return PosedExamples(task, batches[b], occasion); };
//   auto next = ahead.begin(pose(0));
//   for (std::size_t b = 0; b < batches.size(); ++b) {
//     auto now = std::move(next);
//     if (b + 1 < batches.size()) next = ahead.begin(pose(b + 1));
//     pass_batch(context, learner, now->all(), ...);  // the next one is read meanwhile
//   }
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "eval/posed_examples.h"

namespace inlay {

class PendingPixels;

// Examples whose pictures are being read.
class ExamplesAhead {
 public:
  // With `held` false no picture is read ahead, and examples keep their addresses.
  explicit ExamplesAhead(PosedExamples posed, bool held = true);

  // In order, as PosedExamples::all() has them; valid as long as this and the drawn examples are.
  // Pixels are given from memory once, which is then free again; whoever reads them a second time
  // reads the picture anew. A picture that could not be read fails where its pixels are asked for.
  const std::vector<const EncodedExample*>& all() const { return all_; }

 private:
  friend class PixelsAhead;

  PosedExamples posed_;
  std::deque<EncodedExample> held_;  // of pictures: as posed, but with pending pixels
  std::vector<const EncodedExample*> all_;
  std::vector<std::shared_ptr<PendingPixels>> pending_;
};

class PixelsAhead {
 public:
  PixelsAhead() = default;
  ~PixelsAhead();
  PixelsAhead(const PixelsAhead&) = delete;
  PixelsAhead& operator=(const PixelsAhead&) = delete;

  // Begins to read the pictures of these examples, in order. At most kMostBytes of pixels wait; the
  // rest is left to the step. What is not begun is forgotten with the result.
  std::unique_ptr<ExamplesAhead> begin(PosedExamples posed);

  static constexpr int64_t kMostBytes = int64_t{256} << 20;

 private:
  void start();
  void work();

  std::mutex lock_;
  std::condition_variable changed_;
  std::deque<std::weak_ptr<PendingPixels>> queue_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;  // none until there is a picture
};

}  // namespace inlay
