// Prediction heads in AdapterHub's files: head_config.json, model_head.safetensors and
// pytorch_model_head.bin.
//
// A head there is a chain of dropout, linear layer and activation, on the pooler's output, the
// first token or every token; its linear layers are numbered 1, 4, 7, ...
#pragma once

#include <filesystem>
#include <memory>

#include "adapters/storage.h"
#include "base/json.h"

namespace inlay {

// Whether AdapterHub's files can hold the head. They cannot hold mean pooling, a first layer
// without dropout, or several regression values.
bool adapterhub_holds(const Head& head, const HeadLabel& label);

// `about` is what every configuration file of AdapterHub says: model, name, version. REQUIRES:
// adapterhub_holds().
void write_adapterhub_head(const std::filesystem::path& folder, const Head& head,
                           const HeadLabel& label, const Json& about);

struct AdapterHubHead {
  std::unique_ptr<Head> head;  // null when the folder has none
  HeadLabel label;
};
AdapterHubHead read_adapterhub_head(const std::filesystem::path& folder, const BaseFacts& base);

}  // namespace inlay
