// Tables (CSV, TSV, JSONL, JSON) with a column of paths of pictures, relative to the table's
// folder, as Hugging Face's imagefolder metadata has it:
//
//   image,label,group
//   scans/0001.png,benign,patient 12
#pragma once

#include "data/images/image_records.h"
#include "data/sources.h"

namespace inlay {

// The column of the pictures is image, file_name, path or filename; those of labels and numbers
// have the names that are usual for text; group, patient or subject ties pictures together. A path
// that leaves the table's folder is kInput.
ImageRecords read_image_tables(const DataSources& sources, const ImageDataSpec& spec);

}  // namespace inlay
