#include "formats/tfjs.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "base/json.h"

namespace inlay {
namespace {

constexpr std::size_t kMaxManifestBytes = 64u << 20;

const Json& member(const Json& object, const char* key, Json::value_t type,
                   const std::string& where) {
  require(object.is_object() && object.contains(key) && object[key].type() == type,
          ErrorKind::kInput, "{}: expected an object whose \"{}\" is {}", where, key,
          Json(type).type_name());
  return object[key];
}

Shape shape_of(const Json& weight, const std::string& where) {
  std::vector<int64_t> sizes;
  for (const Json& size : member(weight, "shape", Json::value_t::array, where)) {
    require(size.is_number_unsigned() && size.get<uint64_t>() <= INT64_MAX, ErrorKind::kInput,
            "{}: the shape holds {}; expected integers of 0 or more", where,
            size.dump().substr(0, 60));
    sizes.push_back(size.get<int64_t>());
  }
  return Shape(std::span<const int64_t>(sizes));
}

DType dtype_of_text(const std::string& text, const std::string& where) {
  if (text == "float32") return DType::kF32;
  if (text == "int32") return DType::kI32;
  if (text == "bool") return DType::kBool;
  fail(ErrorKind::kInput, "{}: dtype \"{}\" is not supported; expected float32, int32 or bool",
       where, text);
}

double finite(const Json& object, const char* key, const std::string& where) {
  auto value = json_get<double>(object, key, where);
  require(std::isfinite(static_cast<float>(value)), ErrorKind::kInput,
          "{}: \"{}\" is {}, not a float32 number", where, key, value);
  return value;
}

}  // namespace

TfjsWeights TfjsWeights::open(const std::filesystem::path& model_json) {
  TfjsWeights weights;
  weights.where_ = model_json.string();
  Json json = read_json(model_json, kMaxManifestBytes);
  for (const Json& group : member(json, "weightsManifest", Json::value_t::array, weights.where_)) {
    auto& files = weights.groups_.emplace_back();
    std::size_t available = 0;
    for (const Json& path : member(group, "paths", Json::value_t::array, weights.where_)) {
      require(path.is_string(), ErrorKind::kInput,
              "{}: a path of weightsManifest is {}; expected a string", weights.where_,
              path.type_name());
      files.emplace_back(child_path(model_json.parent_path(), path.get<std::string>()));
      available += files.back().bytes().size();
    }
    std::size_t used = 0;
    for (const Json& weight : member(group, "weights", Json::value_t::array, weights.where_)) {
      used += weights.add(weight, used, available - used);
    }
    require(used == available, ErrorKind::kInput,
            "{}: the weights need {} bytes, their files have {}", weights.where_, used, available);
  }
  return weights;
}

std::size_t TfjsWeights::add(const Json& weight, std::size_t begin, std::size_t available) {
  auto name = json_get<std::string>(weight, "name", where_);
  std::string where = fmt::format("{}: weight \"{}\"", where_, name.substr(0, 200));
  Entry entry{.shape = shape_of(weight, where),
              .dtype = dtype_of_text(json_get<std::string>(weight, "dtype", where), where),
              .group = groups_.size() - 1,
              .begin = begin};
  if (weight.contains("quantization")) {
    const Json& affine = weight["quantization"];
    auto stored = json_get<std::string>(affine, "dtype", where);
    require(stored == "uint8" && entry.dtype == DType::kF32, ErrorKind::kInput,
            "{}: {} stored as {} is not supported; expected float32 stored as uint8", where,
            dtype_name(entry.dtype), stored);
    entry.quantised = true;
    entry.scale = finite(affine, "scale", where);
    entry.min = finite(affine, "min", where);
  }
  std::size_t width = entry.quantised ? 1 : dtype_size(entry.dtype);
  bool fits =
      !__builtin_mul_overflow(static_cast<std::size_t>(entry.shape.count()), width, &entry.bytes) &&
      entry.bytes <= available;
  require(fits, ErrorKind::kInput,
          "{}: shape {} needs more than the {} bytes left in the weight files", where,
          entry.shape.text(), available);
  require(entries_.emplace(name, entry).second, ErrorKind::kInput, "{}: is listed twice", where);
  return entry.bytes;
}

std::vector<std::string> TfjsWeights::names() const {
  std::vector<std::string> names;
  for (const auto& [name, entry] : entries_) names.push_back(name);
  return names;
}

bool TfjsWeights::contains(std::string_view name) const {
  return entries_.find(name) != entries_.end();
}

bool TfjsWeights::quantised(std::string_view name) const { return entry(name).quantised; }

const TfjsWeights::Entry& TfjsWeights::entry(std::string_view name) const {
  auto found = entries_.find(name);
  require(found != entries_.end(), ErrorKind::kInput, "{}: there is no weight \"{}\" among its {}",
          where_, name, entries_.size());
  return found->second;
}

// A tensor may begin in one file and end in the next.
std::string TfjsWeights::read(const Entry& entry) const {
  std::string bytes;
  bytes.reserve(entry.bytes);
  std::size_t skip = entry.begin;
  for (const MappedFile& file : groups_[entry.group]) {
    std::size_t size = file.bytes().size();
    if (skip < size && bytes.size() < entry.bytes) {
      auto part = file.bytes().subspan(skip, std::min(size - skip, entry.bytes - bytes.size()));
      bytes.append(reinterpret_cast<const char*>(part.data()), part.size());
    }
    skip -= std::min(skip, size);
  }
  return bytes;
}

Tensor TfjsWeights::tensor(std::string_view name) const {
  const Entry& found = entry(name);
  std::string bytes = read(found);
  Tensor tensor = Tensor::empty(found.shape, found.dtype);
  if (found.quantised) {
    float* dst = tensor.mutable_data<float>();
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      dst[i] = static_cast<float>(static_cast<unsigned char>(bytes[i]) * found.scale + found.min);
    }
    return tensor;
  }
  if (found.dtype == DType::kBool) {
    require(
        std::all_of(bytes.begin(), bytes.end(), [](char byte) { return byte == 0 || byte == 1; }),
        ErrorKind::kInput, "{}: bool weight \"{}\" holds a byte other than 0 and 1", where_, name);
  }
  if (!bytes.empty()) std::memcpy(tensor.mutable_raw(), bytes.data(), bytes.size());
  return tensor;
}

}  // namespace inlay
