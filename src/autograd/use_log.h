// Which tree each use of a parameter sums into (Parameter::begin_use), for a part of a forward pass
// that is run twice: noted in the first run, read back in the second, which asks in the same order.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "autograd/parameter.h"
#include "base/error.h"

namespace inlay {

class UseLog {
 public:
  // From here on what was noted is read back, from the beginning.
  void rewind() {
    reads_ = true;
    next_ = 0;
  }

  std::size_t begin_use(Parameter& parameter, uint64_t forward,
                        const std::shared_ptr<Arena>& memory) {
    if (!reads_) {
      uses_.emplace_back(&parameter, parameter.begin_use(forward, memory));
      return uses_.back().second;
    }
    ensure(next_ < uses_.size() && uses_[next_].first == &parameter,
           "parameter {} is used where the first run of the block used none or another",
           parameter.name());
    return uses_[next_++].second;
  }

 private:
  std::vector<std::pair<const Parameter*, std::size_t>> uses_;
  std::size_t next_ = 0;
  bool reads_ = false;
};

}  // namespace inlay
