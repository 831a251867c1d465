#include "tensor/kernels/patches.h"

#include <cstring>

#include "base/error.h"
#include "tensor/kernels/parallel.h"
#include "tensor/kernels/patches_reference.h"
#include "tensor/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/kernels/patches.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "tensor/kernels/row_fold-inl.h"

HWY_BEFORE_NAMESPACE();
namespace inlay::kernels::HWY_NAMESPACE {
namespace {

// Places are counted from the first of map `first_map`, as the patches are.
void scatter_places(const Patches& patches, const Input& src, int64_t first_map, int64_t first,
                    int64_t last, const Output& dst) {
  const int64_t inputs = patches.geometry.inputs();
  const int64_t elements = patches.geometry.outputs() * patches.size();  // of a map's patches
  TapReads reads(patches.geometry, patches.channels, patches.size());
  for (int64_t place = first; place < last; ++place) {
    const std::span<const TapRead> read = reads.of_input(place % inputs);
    const int64_t from = place / inputs * elements;
    const int64_t to = (first_map * inputs + place) * patches.map_channels + patches.first_channel;
    for_vectors(0, patches.channels, [&](int64_t c, std::size_t n) HWY_ATTR {
      V32 sum = set(0.0f);
      for (const TapRead& one : read)
        sum = hn::Add(sum, load_any(src, from + one.place + one.tap + c, n));
      store_any(sum, dst, to + c, n);
    });
  }
}

}  // namespace
}  // namespace inlay::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace inlay::kernels {
namespace {
HWY_EXPORT(scatter_places);

// How the taps of one line of a window are copied: `bytes` of each, `step` bytes of the map apart.
struct TapCopy {
  std::size_t bytes, step;
};

void copy_taps(const TapCopy& copy, int64_t count, const std::byte* from, std::byte* to) {
  const auto taps = static_cast<std::size_t>(count);
  if (copy.step == copy.bytes) {
    std::memcpy(to, from, taps * copy.bytes);
    return;
  }
  for (std::size_t i = 0; i < taps; ++i)
    std::memcpy(to + i * copy.bytes, from + i * copy.step, copy.bytes);
}

// One patch at a time; of each of its lines, the zeros on the left, the map, the zeros on the
// right.
class PatchGatherer {
 public:
  PatchGatherer(const Patches& patches, const Input& src)
      : map_(patches.geometry),
        vertical_(map_.vertical()),
        horizontal_(map_.horizontal()),
        row_(static_cast<std::size_t>(patches.map_channels) * dtype_size(src.dtype())),
        copy_{static_cast<std::size_t>(patches.channels) * dtype_size(src.dtype()),
              row_ * static_cast<std::size_t>(map_.dilation_width)},
        src_(src.as<std::byte>() +
             static_cast<std::size_t>(patches.first_channel) * dtype_size(src.dtype())) {}

  std::size_t patch_bytes() const { return static_cast<std::size_t>(map_.taps()) * copy_.bytes; }

  void gather(int64_t row, std::byte* to) const {
    const int64_t place = row % map_.outputs();
    const int64_t y = place / map_.output_width, x = place % map_.output_width;
    const PatchAxis::Taps lines = vertical_.taps_of(y), columns = horizontal_.taps_of(x);
    const int64_t first =
        row / map_.outputs() * map_.inputs() + horizontal_.input_of(x, columns.first);
    to = clear((columns.count() > 0 ? lines.first : map_.kernel_height) * map_.kernel_width, to);
    if (columns.count() == 0) return;
    for (int64_t i = lines.first; i < lines.last; ++i) {
      to = clear(columns.first, to);
      const int64_t from = first + vertical_.input_of(y, i) * map_.input_width;
      copy_taps(copy_, columns.count(), src_ + static_cast<std::size_t>(from) * row_, to);
      to += static_cast<std::size_t>(columns.count()) * copy_.bytes;
      to = clear(map_.kernel_width - columns.last, to);
    }
    clear((map_.kernel_height - lines.last) * map_.kernel_width, to);
  }

 private:
  // Sets so many taps to zero; what follows them.
  std::byte* clear(int64_t taps, std::byte* to) const {
    const std::size_t bytes = static_cast<std::size_t>(taps) * copy_.bytes;
    std::memset(to, 0, bytes);
    return to + bytes;
  }

  PatchGeometry map_;
  PatchAxis vertical_, horizontal_;
  std::size_t row_;  // bytes of a place of the map
  TapCopy copy_;
  const std::byte* src_;
};

}  // namespace

void gather_patches(const Patches& patches, Input src, int64_t first, int64_t last, Output dst) {
  ensure(src.dtype() == dst.dtype(), "patches of {} gathered into {}", dtype_name(src.dtype()),
         dtype_name(dst.dtype()));
  const PatchGatherer gatherer(patches, src);
  auto* to = dst.as<std::byte>();
  parallel_ranges(last - first, patches.size(), [&](int64_t from, int64_t until) {
    for (int64_t i = from; i < until; ++i)
      gatherer.gather(first + i, to + static_cast<std::size_t>(i) * gatherer.patch_bytes());
  });
}

void scatter_patches(const Patches& patches, Input src, int64_t first, int64_t last, Output dst) {
  if (runs_in_double({src, dst}))
    return scatter_patches_reference<double>(patches, src, first, last, dst);
  const int64_t places = (last - first) * patches.geometry.inputs();
  parallel_ranges(places, patches.size(), [&](int64_t from, int64_t until) {
    HWY_DYNAMIC_DISPATCH(scatter_places)(patches, src, first, from, until, dst);
  });
}

}  // namespace inlay::kernels
#endif
