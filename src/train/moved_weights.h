// How far training moved the base's weights, for the report.
#pragma once

#include <filesystem>
#include <string>

#include "base/json.h"
#include "nn/base_facts.h"

namespace inlay {

// The name of a site without its layer: "attention.self.query"; "layer output" for a layer itself.
std::string place_in_layer(const Site& site);

// The section "moved" of runs/report.h from a saved adapter: |dW| / |W| by place and layer; null
// where the method changes no weight of a layer.
Json moved_weights(const BaseFacts& base, const std::filesystem::path& adapter);

}  // namespace inlay
