// Any bytes either are an archive of NumPy arrays or raise an Error, and so does every array of
// one: as an archive, and as the array inside, which chance hardly brings through its checks.
#include "data/images/npz.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>

#include "base/error.h"

namespace {

// Reads every element.
void read_all(const inlay::NpyArray& array) {
  double sum = 0;
  for (std::size_t i = 0; i < array.count(); ++i) sum += array.value(i);
  volatile double keep = sum;
  static_cast<void>(keep);
}

template <class Read>
void try_to(Read read) {
  try {
    read();
  } catch (const inlay::Error& error) {
    if (error.kind() != inlay::ErrorKind::kInput) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  try_to([&] {
    inlay::PackedReader reader(std::as_bytes(std::span(data, size)), inlay::PackedReader::kPlain,
                               "fuzz");
    read_all(inlay::read_npy(reader, "fuzz"));
  });
  try_to([&] {
    auto file =
        inlay::NpzFile::parse(std::string(reinterpret_cast<const char*>(data), size), "fuzz");
    for (const std::string& name : file.names()) try_to([&] { read_all(file.array(name)); });
  });
  return 0;
}
