// Pictures with the boxes of objects in them, from COCO annotations (coco.h): a file, or a folder
// with train.json, validation.json (or valid, val, dev) and test.json, or with files of other names
// that are read together. The pictures are where "file_name" says, from the first of these folders
// that has the file's first picture:
//
//   FOLDER/                the folder of the annotations
//   FOLDER/images/
//   FOLDER/<name>/         of FOLDER/<name>.json
#pragma once

#include "data/images/image_records.h"
#include "data/sources.h"

namespace inlay {

// Boxes that are empty, or lie outside of their pictures, are left out with a warning. kInput: what
// read_coco() refuses, a file that is no JSON, one without pictures or categories, files of
// different categories, a picture that is not there or lies outside of the folder.
ImageRecords read_coco_images(const DataSources& sources);

}  // namespace inlay
