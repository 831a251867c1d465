#include "check/step_memory.h"

#include "tensor/onednn/packed_matrix.h"

namespace inlay {
namespace {

// Nothing for a weight that a file holds in blocks.
void add_matrix(WeightMemory& memory, const Tensor& weight, DType compute) {
  if (!weight.defined()) return;
  auto numbers = static_cast<uint64_t>(weight.count());
  memory.packed += 2 * numbers * onednn::packed_number_bytes(compute);
  memory.stored += weight.byte_count();
}

bool is_layer(const Site& site) {
  return site.kind == SiteKind::kLinear && site.role != SiteRole::kLanguageModel;
}

}  // namespace

WeightMemory layer_memory(const BaseFacts& base, SiteHooks* hooks, DType compute) {
  WeightMemory memory;
  for (const Site* site : base.sites) {
    if (!is_layer(*site) || site->quantised != nullptr) continue;
    SiteHook* hook = hooks != nullptr ? hooks->at(site->index) : nullptr;
    if (hook == nullptr || hook->replacements().weight == nullptr)
      add_matrix(memory, site->weight, compute);
  }
  return memory;
}

WeightMemory projection_memory(const BaseFacts& base, DType compute) {
  const Site* found = nullptr;
  for (const Site* site : base.sites) {
    bool own = site->role == SiteRole::kLanguageModel;
    bool table = site->kind == SiteKind::kEmbedding && site->weight.defined() &&
                 site->weight.dim(0) == base.vocabulary;
    if (own || (table && found == nullptr)) found = site;
  }
  WeightMemory memory;
  if (found != nullptr) add_matrix(memory, found->weight, compute);
  return memory;
}

uint64_t quantised_bytes(const BaseFacts& base, BlockFormat format) {
  const BlockFormatInfo& info = block_format_info(format);
  uint64_t bytes = 0;
  for (const Site* site : base.sites) {
    if (!is_layer(*site) || !site->weight.defined()) continue;
    bool whole = site->in % info.block_length == 0;
    bytes += whole ? info.byte_count({.rows = site->out, .columns = site->in})
                   : site->weight.byte_count();
  }
  return bytes;
}

uint64_t table_bytes(const BaseFacts& base) {
  uint64_t bytes = 0;
  for (const Site* site : base.sites) {
    if (site->kind == SiteKind::kEmbedding && site->weight.defined())
      bytes += site->weight.byte_count();
  }
  return bytes;
}

}  // namespace inlay
