// Pictures as a base reads them.
#pragma once

#include <memory>
#include <vector>

#include "eval/encoded_example.h"
#include "image/augment.h"
#include "image/preprocessor.h"

namespace inlay {

// How a base's folder says that pictures are read, with `image_size` (0: as it says) in place of
// its own size. kUsage where the base has positions for another size.
Preprocessor preprocessor_of(const BaseFacts& base, int64_t image_size);

// Decodes every picture once, several at a time: kInput naming the first that cannot be read,
// rather than in the middle of a run.
void check_pictures(const Dataset& data);

// One of each example, in order. The pictures stay where they are until a batch is made.
std::vector<EncodedExample> encode_images(const Dataset& data, const Preprocessor& preprocessor);

// The same picture as it is seen in this epoch: a function of the seed, the epoch and the example
// alone.
EncodedExample augmented(const EncodedExample& example, const Augmentation& how, uint64_t seed,
                         int64_t epoch);

}  // namespace inlay
