// Where a data set of pictures becomes a Dataset: what load_dataset() calls for the kinds that are
// of_images().
#pragma once

#include "data/dataset.h"

namespace inlay {

// Sets the examples (text is the picture's place), classes, columns, files and images of `data`, by
// load_image_data(). REQUIRES: of_images(spec.kind).
void read_image_examples(const DatasetSpec& spec, Dataset& data);

}  // namespace inlay
