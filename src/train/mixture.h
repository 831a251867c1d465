// What a fusion makes of its adapters: the mean weight of each, per place where they are mixed.
#pragma once

#include "eval/learner.h"

namespace inlay {

// {"encoder.layer.0.output.adapters": {"amazon": 0.6, "yelp": 0.4}}, over all tokens of the
// examples (at most 256 of them); empty where the adapter mixes nothing.
Json mixture_weights(Context& context, const Learner& learner, ExampleSpan examples);

}  // namespace inlay
