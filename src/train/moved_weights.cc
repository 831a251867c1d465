#include "train/moved_weights.h"

#include <map>
#include <vector>

#include "adapters/arithmetic/weight_update.h"
#include "adapters/storage.h"

namespace inlay {

std::string place_in_layer(const Site& site) {
  std::string number = "." + std::to_string(site.layer) + ".";
  std::size_t at = site.name.find(number);
  return at == std::string::npos ? "layer output" : site.name.substr(at + number.size());
}

Json moved_weights(const BaseFacts& base, const std::filesystem::path& adapter) {
  LoadedAdapter loaded = load_adapter(adapter, base);
  if (loaded.adapter == nullptr) return Json();
  std::vector<std::string> places;
  std::map<std::string, std::vector<Json>> grid;
  for (const Site* site : loaded.adapter->sites()) {
    if (site->layer < 0 || !has_weight_update(*loaded.adapter, *site)) continue;
    std::string place = place_in_layer(*site);
    if (!grid.contains(place)) places.push_back(place);
    std::vector<Json>& cells = grid[place];
    cells.resize(static_cast<std::size_t>(base.layers));
    cells[static_cast<std::size_t>(site->layer)] = relative_change(*loaded.adapter, *site);
  }
  if (places.empty()) return Json();
  Json rows = Json::array(), layers = Json::array();
  for (const std::string& place : places) rows.push_back(grid[place]);
  for (int64_t i = 0; i < base.layers; ++i) layers.push_back(std::to_string(i));
  return {{"sites", places}, {"layers", layers}, {"grid", rows}};
}

}  // namespace inlay
