#include <png.h>

#include <array>
#include <cstdio>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "image/byte_order.h"
#include "image/codecs.h"
#include "image/exif.h"

namespace inlay {
namespace {

// libpng leaves by longjmp where something is wrong. Only read_header() and read_samples() can be
// left so; nothing in them, nor in what it calls back, has a destructor.
class PngReader {
 public:
  explicit PngReader(std::string_view bytes) : rest_(bytes) {
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, on_error, on_warning);
    ensure(png_ != nullptr, "libpng did not start");
    info_ = png_create_info_struct(png_);
    png_set_read_fn(png_, this, on_read);
  }
  ~PngReader() { png_destroy_read_struct(&png_, &info_, nullptr); }
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;

  // After it, rows are of 8-bit RGB or RGBA. False: message() says why.
  bool read_header() {
    if (setjmp(png_jmpbuf(png_)) != 0) return false;
    png_read_info(png_, info_);
    png_set_expand(png_);  // palettes, samples of less than 8 bits, a transparent colour
    png_set_strip_16(png_);
    png_set_gray_to_rgb(png_);
    png_set_interlace_handling(png_);
    png_read_update_info(png_, info_);
    return true;
  }

  bool read_samples(png_bytepp rows) {
    if (setjmp(png_jmpbuf(png_)) != 0) return false;
    png_read_image(png_, rows);
    png_read_end(png_, info_);
    return true;
  }

  std::size_t channels() const { return png_get_channels(png_, info_); }
  std::size_t row_bytes() const { return png_get_rowbytes(png_, info_); }
  const char* message() const { return message_.data(); }

  // REQUIRES: read_samples() was true.
  int orientation() const {
    png_uint_32 size = 0;
    png_bytep exif = nullptr;
    if (png_get_eXIf_1(png_, info_, &size, &exif) == 0) return 1;
    return exif_orientation({reinterpret_cast<const char*>(exif), size});
  }

 private:
  [[noreturn]] static void on_error(png_structp png, png_const_charp message) {
    auto* reader = static_cast<PngReader*>(png_get_error_ptr(png));
    std::snprintf(reader->message_.data(), reader->message_.size(), "%s", message);
    png_longjmp(png, 1);
  }

  // What libpng only warns of does not concern the pixels.
  static void on_warning(png_structp, png_const_charp) {}

  static void on_read(png_structp png, png_bytep into, std::size_t count) {
    auto* reader = static_cast<PngReader*>(png_get_io_ptr(png));
    if (count > reader->rest_.size()) png_error(png, "the file ends early");
    std::memcpy(into, reader->rest_.data(), count);
    reader->rest_.remove_prefix(count);
  }

  std::string_view rest_;
  std::array<char, 128> message_ = {};
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
};

}  // namespace

Image decode_png(std::string_view bytes, const std::string& where, const ImageLimits& limits) {
  // After the signature comes the chunk IHDR: its length, its name, the width, the height.
  require(bytes.size() >= 24 && bytes.substr(12, 4) == "IHDR", ErrorKind::kInput,
          "{}: a truncated or corrupt PNG: it has no header", where);
  const int64_t width = from_big_endian(bytes.substr(16, 4));
  const int64_t height = from_big_endian(bytes.substr(20, 4));
  require_size(width, height, where, limits);
  PngReader reader(bytes);
  require(reader.read_header(), ErrorKind::kInput, "{}: a truncated or corrupt PNG: {}", where,
          reader.message());
  const std::size_t stride = reader.row_bytes(), lines = static_cast<std::size_t>(height);
  ensure(stride == static_cast<std::size_t>(width) * reader.channels(),
         "libpng's rows have {} bytes for {} pixels of {} samples", stride, width,
         reader.channels());
  std::vector<uint8_t> samples(lines * stride);
  std::vector<png_bytep> rows;
  rows.reserve(lines);
  for (std::size_t y = 0; y < lines; ++y) rows.push_back(samples.data() + y * stride);
  require(reader.read_samples(rows.data()), ErrorKind::kInput, "{}: a truncated or corrupt PNG: {}",
          where, reader.message());
  if (reader.channels() == 4) lay_on_white(samples);
  return upright({width, height, std::move(samples)}, reader.orientation());
}

}  // namespace inlay
