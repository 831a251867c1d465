// Pictures as a base reads them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "eval/encoded_example.h"
#include "image/augment.h"
#include "image/preprocessor.h"

namespace inlay {

// How a base's folder says that pictures are read, with `image_size` (0: as it says) in place of
// its own size. kUsage where the base has positions for another size.
Preprocessor preprocessor_of(const BaseFacts& base, int64_t image_size);

// The same where boxes in the whole picture are looked for: it is squashed to the size and nothing
// is cut off. kUsage naming a size to ask for where a side is no multiple of 32, the widest stride
// of the maps that are looked at.
Preprocessor detection_preprocessor_of(const BaseFacts& base, int64_t image_size);
// The one of these two that is for examples of this kind.
Preprocessor preprocessor_for(TaskKind kind, const BaseFacts& base, int64_t image_size);

// One of each example, in order. The pictures stay where they are until a batch is made.
std::vector<EncodedExample> encode_images(const Dataset& data, const Preprocessor& preprocessor);

// The same picture as it is seen in this epoch: a function of the seed, the epoch and the example
// alone.
EncodedExample augmented(const EncodedExample& example, const Augmentation& how, uint64_t seed,
                         int64_t epoch);

// The same picture mirrored left and right.
EncodedExample mirrored(const EncodedExample& example);

// The picture with some of `partner` in it (image/mixing.h), as EncodedExample::mix tells: a
// function of the seed, the epoch and the two alone. REQUIRES: how.mixes(), pictures of one size.
EncodedExample mixed(const EncodedExample& example, const EncodedExample& partner,
                     const Augmentation& how, uint64_t seed, int64_t epoch);

// kUsage naming the task, whose targets cannot be mixed, where mixup or cutmix is asked for.
void refuse_mixing(const Augmentation& how, const std::string& task);

}  // namespace inlay
