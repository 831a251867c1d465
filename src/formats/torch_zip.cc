#include "formats/torch_zip.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "base/files.h"
#include "formats/state_dict_pickle.h"
#include "formats/stored_zip.h"

namespace inlay {

struct TorchFile::Contents {
  std::unique_ptr<const MappedFile> map;
  std::string memory;
  std::string where;
  std::map<std::string, ZipMember, std::less<>> members;
  std::string prefix;  // the folder in the archive, with its slash
  std::vector<PickledTensor> tensors;
  std::map<std::string, std::size_t, std::less<>> index;

  void read(std::span<const std::byte> file);
  std::span<const std::byte> member(const std::string& name) const;
  std::span<const std::byte> storage(const PickledTensor& tensor) const;
};

namespace {

constexpr std::string_view kPickle = "data.pkl";

// The member "<prefix>/data.pkl" gives the prefix of all.
std::string find_prefix(const std::map<std::string, ZipMember, std::less<>>& members,
                        const std::string& where) {
  for (const auto& [name, member] : members) {
    std::size_t slash = name.find('/');
    if (slash != name.npos && name.substr(slash + 1) == kPickle) return name.substr(0, slash + 1);
  }
  fail(ErrorKind::kInput, "{}: there is no data.pkl in the archive; is it a file of torch.save?",
       where);
}

bool is_contiguous(const PickledTensor& tensor) {
  int64_t expected = 1;
  for (std::size_t i = tensor.sizes.size(); i > 0; --i) {
    if (tensor.sizes[i - 1] != 1 && tensor.strides[i - 1] != expected) return false;
    expected *= tensor.sizes[i - 1];
  }
  return true;
}

// offset + sum of (size - 1) * stride: the last element that the tensor reaches, within its
// storage.
void check_reach(const PickledTensor& tensor, int64_t count, const std::string& where) {
  int64_t last = tensor.offset;
  bool fits = true;
  for (std::size_t i = 0; i < tensor.sizes.size() && count > 0; ++i) {
    int64_t step = 0;
    fits = fits && !__builtin_mul_overflow(tensor.sizes[i] - 1, tensor.strides[i], &step) &&
           !__builtin_add_overflow(last, step, &last);
  }
  fits = fits && (count == 0 || last < tensor.storage_count);
  require(fits, ErrorKind::kInput,
          "{}: tensor \"{}\" reaches beyond the {} elements of its storage", where,
          tensor.name.substr(0, 200), tensor.storage_count);
  require(
      count <= tensor.storage_count, ErrorKind::kInput,
      "{}: tensor \"{}\" shows {} elements of a storage of {}; expanded tensors are not supported",
      where, tensor.name.substr(0, 200), count, tensor.storage_count);
}

// Element by element, the last index running fastest.
void copy_strided(const PickledTensor& tensor, std::span<const std::byte> storage, Tensor& result) {
  std::size_t width = dtype_size(tensor.dtype);
  std::array<int64_t, Shape::kMaxRank> index{};
  for (int64_t i = 0; i < result.count(); ++i) {
    int64_t at = tensor.offset;
    for (std::size_t axis = 0; axis < tensor.sizes.size(); ++axis)
      at += index[axis] * tensor.strides[axis];
    std::memcpy(result.mutable_raw() + static_cast<std::size_t>(i) * width,
                storage.data() + static_cast<std::size_t>(at) * width, width);
    for (std::size_t axis = tensor.sizes.size();
         axis > 0 && ++index[axis - 1] == tensor.sizes[axis - 1]; --axis) {
      index[axis - 1] = 0;
    }
  }
}

}  // namespace

void TorchFile::Contents::read(std::span<const std::byte> file) {
  members = read_stored_zip(file, where);
  prefix = find_prefix(members, where);
  if (members.count(prefix + "byteorder") > 0) {
    auto order = member(prefix + "byteorder");
    std::string_view text(reinterpret_cast<const char*>(order.data()), order.size());
    require(text == "little", ErrorKind::kInput, "{}: the byte order is \"{}\"; expected little",
            where, text.substr(0, 20));
  }
  tensors = read_state_dict_pickle(member(prefix + std::string(kPickle)), where + ": data.pkl");
  for (std::size_t i = 0; i < tensors.size(); ++i) index.emplace(tensors[i].name, i);
}

std::span<const std::byte> TorchFile::Contents::member(const std::string& name) const {
  auto found = members.find(name);
  require(found != members.end(), ErrorKind::kInput, "{}: \"{}\" is missing in the archive", where,
          name.substr(0, 200));
  require(crc32(found->second.bytes) == found->second.crc32, ErrorKind::kInput,
          "{}: \"{}\" is damaged: its CRC-32 is not the one in the archive", where,
          name.substr(0, 200));
  return found->second.bytes;
}

std::span<const std::byte> TorchFile::Contents::storage(const PickledTensor& tensor) const {
  std::span<const std::byte> bytes = member(prefix + "data/" + tensor.storage);
  std::size_t width = dtype_size(tensor.dtype);
  require(bytes.size() / width == static_cast<uint64_t>(tensor.storage_count) &&
              bytes.size() % width == 0,
          ErrorKind::kInput,
          "{}: the storage of tensor \"{}\" has {} bytes; {} elements of {} need {} each", where,
          tensor.name.substr(0, 200), bytes.size(), tensor.storage_count, dtype_name(tensor.dtype),
          width);
  return bytes;
}

TorchFile TorchFile::open(const std::filesystem::path& path) {
  auto contents = std::make_shared<Contents>();
  contents->map = std::make_unique<const MappedFile>(path);
  contents->where = path.string();
  contents->read(contents->map->bytes());
  return TorchFile(std::move(contents));
}

TorchFile TorchFile::parse(std::string bytes, std::string where) {
  auto contents = std::make_shared<Contents>();
  contents->memory = std::move(bytes);
  contents->where = std::move(where);
  contents->read(std::as_bytes(std::span(contents->memory)));
  return TorchFile(std::move(contents));
}

std::vector<std::string> TorchFile::names() const {
  std::vector<std::string> names;
  for (const PickledTensor& tensor : contents_->tensors) names.push_back(tensor.name);
  return names;
}

bool TorchFile::contains(std::string_view name) const { return contents_->index.count(name) > 0; }

Tensor TorchFile::tensor(std::string_view name) const {
  auto found = contents_->index.find(name);
  require(found != contents_->index.end(), ErrorKind::kInput,
          "{}: there is no tensor \"{}\" among its {}", contents_->where, name,
          contents_->tensors.size());
  const PickledTensor& pickled = contents_->tensors[found->second];
  Shape shape{std::span<const int64_t>(pickled.sizes)};
  check_reach(pickled, shape.count(), contents_->where);
  std::span<const std::byte> storage = contents_->storage(pickled);
  if (pickled.dtype == DType::kBool) {
    require(
        std::all_of(storage.begin(), storage.end(), [](std::byte b) { return b <= std::byte{1}; }),
        ErrorKind::kInput, "{}: bool tensor \"{}\" holds a byte other than 0 and 1",
        contents_->where, name);
  }
  if (shape.count() == 0) return Tensor::empty(shape, pickled.dtype);
  if (is_contiguous(pickled)) {
    auto part =
        storage.subspan(static_cast<std::size_t>(pickled.offset) * dtype_size(pickled.dtype));
    bool aligned = reinterpret_cast<std::uintptr_t>(part.data()) % dtype_size(pickled.dtype) == 0;
    if (aligned) return Tensor::borrow(shape, pickled.dtype, part, contents_);
  }
  Tensor result = Tensor::empty(shape, pickled.dtype);
  copy_strided(pickled, storage, result);
  return result;
}

void write_torch(const std::filesystem::path& path, std::span<const NamedTensor> tensors) {
  std::vector<PickledTensor> pickled;
  std::vector<ZipPart> parts(1);
  for (const NamedTensor& named : tensors) {
    auto sizes = named.tensor.shape().sizes();
    pickled.push_back({.name = named.name,
                       .dtype = named.tensor.dtype(),
                       .storage = std::to_string(parts.size() - 1),
                       .storage_count = named.tensor.count(),
                       .offset = 0,
                       .sizes = {sizes.begin(), sizes.end()},
                       .strides = {}});
    parts.push_back({"archive/data/" + pickled.back().storage, named.tensor.bytes()});
  }
  std::string pickle = write_state_dict_pickle(pickled);
  const std::string version = "3\n";
  parts[0] = {"archive/data.pkl", std::as_bytes(std::span(pickle))};
  parts.push_back({"archive/version", std::as_bytes(std::span(version))});
  write_file_atomically(path, [&](int fd) {
    write_stored_zip(
        parts, [&](std::span<const std::byte> bytes) { write_all(fd, bytes, path.string()); });
  });
}

}  // namespace inlay
