// Importers turn the files of a package into the folder that Inlay uses. An entry of the catalogue
// names one.
#pragma once

#include <filesystem>

#include "hub/catalogue.h"

namespace inlay {

// `unpacked` holds the entry's members under their names here; the results go into `folder`, which
// is empty.
void import_package(const CatalogueEntry& entry, const std::filesystem::path& unpacked,
                    const std::filesystem::path& folder);

// "tfjs-model": model.json and its weight files become a Hugging Face folder. Settings:
//   config      the config.json to write
//   layers      how often {layer} is counted up; without it the config's num_hidden_layers
//   tensors     Hugging Face name to TensorFlow name, {layer} standing for 0, 1, ... in both and
//               {layer+1} for 1, 2, ...
//   transposed  the same for matrices (in, out) that Hugging Face holds as (out, in)
//   conv        the same for kernels (height, width, in, out) that become (out, in, height, width)
//   depthwise   the same for (height, width, channels, 1) that become (channels, 1, height, width)
//   dropped     TensorFlow names of weights that are left out
//   preprocessor  the preprocessor_config.json to write, if any
//   copy        files to take over as they are
// Every weight of the model that is more than a constant of its graph must be used or dropped.
void import_tfjs_model(const CatalogueEntry& entry, const std::filesystem::path& unpacked,
                       const std::filesystem::path& folder);

// "tfjs-keras-js": the same where model.json and the weight files are JavaScript modules:
// model.min.js exports the object, x.min.js the file x as base64.
void import_tfjs_keras_js(const CatalogueEntry& entry, const std::filesystem::path& unpacked,
                          const std::filesystem::path& folder);

// "labelled-json": each member x.json, a list of {"text": ..., "class": ...}, becomes x.csv with
// the columns text and label, in the order of the list; an item whose class is null is left out.
// dataset.json says what the folder holds:
//   {"task": ..., "columns": {"text": "text", "label": "label"}, "labels": [...], "files":
//   {"x.csv": rows, ...}}
// Whoever reads the folder reads its .csv files one after the other, in the order of their names.
// Settings:
//   labels      class, as text, to label
//   task        what the data is for
void import_labelled_json(const CatalogueEntry& entry, const std::filesystem::path& unpacked,
                          const std::filesystem::path& folder);

// "files": the members as they are, and dataset.json. Settings:
//   dataset     what dataset.json says
void import_files(const CatalogueEntry& entry, const std::filesystem::path& unpacked,
                  const std::filesystem::path& folder);

// "picture-families": the pictures of a tree as they are, in a folder per class, and a dataset.json
// of "format" image-folder that puts variants of one picture into one group (picture_families.h).
// Pictures whose names end in _mirror, turned copies of others, are left out. Settings:
//   dataset     what else dataset.json says
void import_picture_families(const CatalogueEntry& entry, const std::filesystem::path& unpacked,
                             const std::filesystem::path& folder);

// README.md: what this is, where it came from, its licence.
std::string source_card(const CatalogueEntry& entry);

}  // namespace inlay
