#include "nn/recomputed.h"

#include <utility>

#include "autograd/use_log.h"

namespace inlay {
namespace {

// Puts a value in place of another until the end of a scope, however that is left.
template <class T>
class Instead {
 public:
  Instead(T& place, T value) : place_(place), before_(std::exchange(place, std::move(value))) {}
  ~Instead() { place_ = std::move(before_); }
  Instead(const Instead&) = delete;
  Instead& operator=(const Instead&) = delete;

 private:
  T& place_;
  T before_;
};

class NotRecording {
 public:
  explicit NotRecording(Tape& tape) : tape_(tape) { tape_.set_recording(false); }
  ~NotRecording() { tape_.set_recording(true); }
  NotRecording(const NotRecording&) = delete;
  NotRecording& operator=(const NotRecording&) = delete;

 private:
  Tape& tape_;
};

}  // namespace

Variable recomputed(Context& context, const Variable& x, const Block& block) {
  Tape& tape = context.tape;
  bool plain = !context.recompute || !tape.recording() || !x.requires_grad() ||
               context.tap != nullptr || context.uses != nullptr;
  if (plain) return block(x);
  auto uses = std::make_shared<UseLog>();
  Variable y;
  {
    NotRecording off(tape);
    Instead<UseLog*> noting(context.uses, uses.get());
    y = block(tape.constant(x.value(), x.row_space()));
  }
  return tape.record(
      y.value(), y.row_space(), true,
      [&context, block, uses, slot = x.slot(), value = x.value(), rows = x.row_space(),
       adapters = context.adapters, segments = context.segments](Tape& tape, const Tensor& grad_y) {
        Instead own_adapters(context.adapters, adapters);
        Instead own_segments(context.segments, segments);
        Tape::Mark mark = tape.mark();
        double flops = context.useful_flops;  // those of the second run do not count
        Variable again = tape.input(value, rows);
        Variable result;
        uses->rewind();
        {
          Instead<UseLog*> reading(context.uses, uses.get());
          result = block(again);
        }
        context.useful_flops = flops;
        tape.backward_since(mark, result, grad_y);
        Tensor grad = std::exchange(again.slot()->grad, Tensor());
        if (grad.defined()) tape.accumulate(slot, std::move(grad));
      });
}

}  // namespace inlay
