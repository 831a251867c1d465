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
//   config      the config.json to write; num_hidden_layers says how often {layer} is counted up
//   tensors     Hugging Face name to TensorFlow name, {layer} standing for 0, 1, ...
//   transposed  the same for matrices that TensorFlow holds as (in, out) and Hugging Face as (out,
//   in) copy        files to take over as they are
// Every weight of the model that is more than a constant of its graph must be used.
void import_tfjs_model(const CatalogueEntry& entry, const std::filesystem::path& unpacked,
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

// README.md: what this is, where it came from, its licence.
std::string source_card(const CatalogueEntry& entry);

}  // namespace inlay
