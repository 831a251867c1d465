#include <fmt/format.h>
#include <stdlib.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>

#include "adapters/storage.h"
#include "autograd/operands.h"
#include "check/parts.h"
#include "check/probe.h"
#include "nn/modules.h"

namespace inlay {
namespace {

// A folder of our own that goes away again.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "inlay-check-XXXXXX").string();
    require(::mkdtemp(pattern.data()) != nullptr, ErrorKind::kIo,
            "{}: a temporary folder cannot be made: {}", pattern, std::strerror(errno));
    path_ = pattern;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// The largest relative difference between merged layers and adapted ones, in float32, over the
// linear sites; -1 where the method cannot be merged. A look at two layers, or at all.
double merge_error(const CheckSubject& subject, Adapter& adapter) {
  double worst = -1;
  int64_t last = subject.model.facts().layers - 1;
  for (const Site* site : adapter.sites()) {
    SiteHook* hook = adapter.at(site->index);
    if (hook == nullptr) continue;
    if (site->kind != SiteKind::kLinear) {
      if (!hook->replacements().any()) return -1;
      worst = std::max(worst, 0.0);  // what replaces a tensor is the merged one itself
      continue;
    }
    if (!subject.thorough && site->layer > 0 && site->layer < last) continue;
    MergedTensors merged{out_by_in(*site).to(DType::kF32),
                         site->bias.defined() ? site->bias.to(DType::kF32) : Tensor()};
    if (!hook->merge(merged)) return -1;
    LinearSite base{*site,
                    FrozenWeight(out_by_in(*site), site->bias, onednn::Layout::kOutIn, nullptr)};
    LinearSite whole{*site,
                     FrozenWeight(merged.weight, merged.bias, onednn::Layout::kOutIn, nullptr)};
    Context context(DType::kF32);
    context.tape.set_recording(false);
    context.begin_forward();
    RowSpace rows{{0, 4}, {0, 4}, {0, 0, 0, 0}, {0, 1, 2, 3}};
    Tensor x = Tensor::empty({4, site->in}, DType::kF32);
    Stream stream(subject.plan.seed, "check/merge/" + site->name);
    for (int64_t i = 0; i < x.count(); ++i)
      x.mutable_data<float>()[i] = stream.normal(static_cast<uint64_t>(i));
    Variable input = context.tape.constant(x, &rows);
    Tensor expected = linear_site(context, whole, input, Precision::kFull).value();
    context.adapters = {{.hooks = &adapter}};
    Tensor unmerged = linear_site(context, base, input, Precision::kFull).value();
    double largest = 1e-6;
    for (int64_t i = 0; i < expected.count(); ++i)
      largest = std::max(largest, std::fabs(in(expected).load<double>(i)));
    worst = std::max(worst, largest_difference(expected, unmerged) / largest);
  }
  return worst;
}

}  // namespace

void check_storage(const CheckSubject& subject, Probe& probe, Learner& learner,
                   Findings& findings) {
  Tensor base = probe.logits(nullptr), off = probe.logits(learner.adapter.get(), nullptr, 0.0f);
  bool same = same_bits(off, base);
  findings.push_back({"C-12",
                      same ? Severity::kInfo : Severity::kError,
                      same ? "switched off, the adapter leaves the base as it was, bit for bit"
                           : "switched off, the outputs are not those of the base",
                      {{"difference", largest_difference(off, base)}}});
  if (learner.adapter == nullptr) return;
  std::unique_ptr<Adapter> kept = learner.adapter->finished(subject.model.facts());
  Adapter& saved = kept != nullptr ? *kept : *learner.adapter;
  Tensor expected = probe.logits(&saved);
  TemporaryFolder folder;
  save_adapter(folder.path() / "adapter", {&saved, learner.head.get(), {}}, subject.model.facts());
  LoadedAdapter loaded = load_adapter(folder.path() / "adapter", subject.model.facts());
  Tensor again = probe.logits(loaded.adapter.get());
  bool bitwise = same_bits(expected, again);
  findings.push_back({"C-12",
                      bitwise ? Severity::kInfo : Severity::kError,
                      bitwise ? "saved and loaded, it gives the same bits"
                              : fmt::format("saved and loaded, outputs differ by up to {:.3g}",
                                            largest_difference(expected, again)),
                      {{"difference", largest_difference(expected, again)}}});
  double error = merge_error(subject, saved);
  constexpr double kMergeTolerance = 1e-4;
  bool close = error <= kMergeTolerance;
  findings.push_back(
      {"C-12",
       close ? Severity::kInfo : Severity::kError,
       error < 0 ? "the method cannot be merged into the base"
                 : fmt::format("merged layers differ by up to {:.2g} of their largest output{}",
                               error, close ? "" : ", more than 1e-4"),
       {{"error", error < 0 ? Json() : Json(error)}}});
}

}  // namespace inlay
