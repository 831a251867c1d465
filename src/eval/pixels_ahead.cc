#include "eval/pixels_ahead.h"

#include <sys/resource.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "tensor/threads.h"

namespace inlay {
namespace {

constexpr unsigned kMostThreads = 2;
// Of the scheduler: the step goes first where there is no core to spare.
constexpr int kNiceness = 10;

}  // namespace

// The pixels of a picture that one thread may read before another asks for them.
class PendingPixels : public PixelSource {
 public:
  explicit PendingPixels(std::shared_ptr<const PixelSource> source) : source_(std::move(source)) {}

  MapSize size() const override { return source_->size(); }

  void read(float* pixels) const override {
    std::unique_lock lock(lock_);
    if (state_ == State::kWaiting) state_ = State::kTaken;
    finished_.wait(lock, [&] { return state_ != State::kReading; });
    if (state_ == State::kTaken) {
      lock.unlock();
      return source_->read(pixels);
    }
    if (failure_ != nullptr) std::rethrow_exception(failure_);
    state_ = State::kTaken;
    std::vector<float> ready = std::move(pixels_);
    lock.unlock();
    std::copy(ready.begin(), ready.end(), pixels);
  }

  int64_t byte_count() const { return 3 * size().places() * static_cast<int64_t>(sizeof(float)); }

  // Does nothing where somebody has begun.
  void read_ahead() {
    {
      std::lock_guard guard(lock_);
      if (state_ != State::kWaiting) return;
      state_ = State::kReading;
    }
    std::vector<float> pixels;
    std::exception_ptr failure;
    try {
      pixels.resize(static_cast<std::size_t>(3 * size().places()));
      source_->read(pixels.data());
    } catch (...) {
      failure = std::current_exception();
    }
    {
      std::lock_guard guard(lock_);
      pixels_ = std::move(pixels);
      failure_ = failure;
      state_ = State::kFinished;
    }
    finished_.notify_all();
  }

 private:
  enum class State {
    kWaiting,   // nobody has begun
    kReading,   // a thread reads ahead
    kFinished,  // `pixels_` or `failure_` is there
    kTaken,     // whoever asks reads the picture
  };

  std::shared_ptr<const PixelSource> source_;
  mutable std::mutex lock_;
  mutable std::condition_variable finished_;
  mutable State state_ = State::kWaiting;
  mutable std::vector<float> pixels_;
  std::exception_ptr failure_;
};

ExamplesAhead::ExamplesAhead(PosedExamples posed, bool held) : posed_(std::move(posed)) {
  all_.reserve(posed_.all().size());
  auto hold = [&](TokenSequence& sequence) {
    if (sequence.pixels == nullptr) return;
    pending_.push_back(std::make_shared<PendingPixels>(std::move(sequence.pixels)));
    sequence.pixels = pending_.back();
  };
  for (const EncodedExample* example : posed_.all()) {
    if (!held || example->tokens.pixels == nullptr) {
      all_.push_back(example);
      continue;
    }
    EncodedExample& own = held_.emplace_back(*example);
    hold(own.tokens);
    for (TokenSequence& sequence : own.further) hold(sequence);
    all_.push_back(&own);
  }
}

PixelsAhead::~PixelsAhead() {
  {
    std::lock_guard guard(lock_);
    stopping_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

std::unique_ptr<ExamplesAhead> PixelsAhead::begin(PosedExamples posed) {
  auto examples = std::make_unique<ExamplesAhead>(std::move(posed));
  if (examples->pending_.empty()) return examples;
  start();
  {
    std::lock_guard guard(lock_);
    int64_t bytes = 0;
    for (const std::shared_ptr<PendingPixels>& pending : examples->pending_) {
      bytes += pending->byte_count();
      if (bytes > kMostBytes) break;
      queue_.push_back(pending);
    }
  }
  changed_.notify_all();
  return examples;
}

void PixelsAhead::start() {
  if (!threads_.empty()) return;
  unsigned count = std::clamp(std::thread::hardware_concurrency(), 1u, kMostThreads);
  threads_.reserve(count);
  for (unsigned i = 0; i < count; ++i) threads_.emplace_back([this] { work(); });
}

void PixelsAhead::work() {
  begin_side_thread();
  ::setpriority(PRIO_PROCESS, 0, kNiceness);  // of this thread alone, on Linux
  std::unique_lock lock(lock_);
  while (true) {
    changed_.wait(lock, [&] { return stopping_ || !queue_.empty(); });
    if (stopping_) return;
    std::shared_ptr<PendingPixels> next = queue_.front().lock();
    queue_.pop_front();
    if (next == nullptr) continue;
    lock.unlock();
    next->read_ahead();
    next.reset();
    lock.lock();
  }
}

}  // namespace inlay
