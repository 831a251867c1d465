// Data sets whose pictures and labels are arrays: IDX files beside a dataset.json, and MedMNIST's
// .npz (train_images, train_labels and the same for val and test).
#pragma once

#include <filesystem>

#include "data/images/image_card.h"
#include "data/images/image_records.h"

namespace inlay {

// The label k of a picture is the k-th name of the card's labels, or the number itself.
ImageRecords read_idx_images(const std::filesystem::path& folder, const ImageCard& card,
                             const ImageDataSpec& spec);

// One column of labels is a class each. Of several, all 0 or 1, those with a 1 are the picture's
// classes, named by their numbers; as values all of them count.
ImageRecords read_npz_images(const std::filesystem::path& path, const ImageDataSpec& spec);

}  // namespace inlay
