#include "data/images/read_images.h"

#include <utility>

#include "data/images/image_data.h"

namespace inlay {

void read_image_examples(const DatasetSpec& spec, Dataset& data) {
  ImageData read = load_image_data(spec.from, {.kind = spec.kind,
                                               .columns = spec.columns,
                                               .classes = spec.classes,
                                               .targets = spec.targets});
  data.kind = spec.kind;
  data.examples = std::move(read.examples);
  data.classes = std::move(read.classes);
  data.columns = std::move(read.columns);
  data.files = std::move(read.files);
  data.images = std::move(read.images);
}

}  // namespace inlay
