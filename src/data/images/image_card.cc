#include "data/images/image_card.h"

#include <utility>

#include "base/error.h"
#include "base/json.h"
#include "data/encoding.h"

namespace inlay {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxCardBytes = std::size_t{64} << 20;  // groups name every picture

std::vector<std::string> texts_of(const Json& card, const char* key, const std::string& where) {
  std::vector<std::string> texts;
  if (!card.contains(key)) return texts;
  require(card[key].is_array(), ErrorKind::kInput, "{}: \"{}\" is {}; expected a list of strings",
          where, key, card[key].type_name());
  texts.reserve(card[key].size());
  for (const Json& item : card[key]) {
    require(item.is_string(), ErrorKind::kInput, "{}: \"{}\" holds {}; expected strings", where,
            key, item.type_name());
    texts.push_back(item.get<std::string>());
  }
  return texts;
}

void read_parts(ImageCard& card, const Json& json, const std::string& where) {
  constexpr std::array<std::pair<const char*, Part>, 3> kParts = {
      {{"train", Part::kTrain}, {"validation", Part::kValidation}, {"test", Part::kTest}}};
  for (const auto& [key, part] : kParts) {
    std::vector<std::string> files = texts_of(json, key, where);
    if (files.empty()) continue;
    require(files.size() == 2, ErrorKind::kInput,
            "{}: \"{}\" lists {} files; expected two: pictures and labels", where, key,
            files.size());
    card.parts.push_back({.part = part, .images = files[0], .labels = files[1]});
  }
  bool trains = !card.parts.empty() && card.parts[0].part == Part::kTrain;
  require(trains, ErrorKind::kInput, "{}: there is no \"train\"; expected its two files", where);
}

void read_groups(ImageCard& card, const Json& json, const std::string& where) {
  if (!json.contains("groups")) return;
  const Json& groups = json["groups"];
  require(groups.is_object(), ErrorKind::kInput,
          "{}: \"groups\" is {}; expected an object of picture and group", where,
          groups.type_name());
  for (const auto& [picture, group] : groups.items()) {
    require(group.is_string(), ErrorKind::kInput, "{}: the group of {} is {}; expected a string",
            where, excerpt(picture), group.type_name());
    card.groups.emplace(picture, group.get<std::string>());
  }
}

}  // namespace

ImageCard read_image_card(const fs::path& folder) {
  ImageCard card;
  fs::path path = folder / "dataset.json";
  if (!fs::exists(path)) return card;
  std::string where = path.string();
  Json json = read_json(path, kMaxCardBytes);
  require(json.is_object(), ErrorKind::kInput, "{}: found {}; expected an object", where,
          json.type_name());
  card.format = json_get_or<std::string>(json, "format", "", where);
  bool known = card.format.empty() || card.format == "idx" || card.format == "image-folder";
  require(known, ErrorKind::kInput, "{}: format {}; expected \"idx\" or \"image-folder\"", where,
          excerpt(card.format));
  if (card.format == "idx") {
    card.labels = texts_of(json, "labels", where);
    read_parts(card, json, where);
  }
  if (card.format == "image-folder") read_groups(card, json, where);
  return card;
}

}  // namespace inlay
