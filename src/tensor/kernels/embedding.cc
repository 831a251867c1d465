#include "tensor/kernels/embedding.h"

#include "tensor/kernels/embedding_reference.h"
#include "tensor/kernels/parallel.h"
#include "tensor/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/kernels/embedding.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "tensor/kernels/row_fold-inl.h"

HWY_BEFORE_NAMESPACE();
namespace inlay::kernels::HWY_NAMESPACE {
namespace {

// Tables may be f16 as well.
HWY_INLINE V32 load_table(const Input& table, int64_t i, std::size_t n) {
  if (table.dtype() != DType::kF16) return load_any(table, i, n);
  HWY_ALIGN float widened[kWidth] = {};
  for (std::size_t lane = 0; lane < n; ++lane) {
    widened[lane] = static_cast<float>(table.as<Float16>()[i + static_cast<int64_t>(lane)]);
  }
  return hn::Load(F32(), widened);
}

void gather_rows(const Input& table, const int32_t* ids, int64_t channels, const Output& dst,
                 int64_t first, int64_t last) {
  for (int64_t t = first; t < last; ++t) {
    const int64_t row = ids[t] * channels;
    for_vectors(0, channels, [&](int64_t c, std::size_t n) HWY_ATTR {
      store_any(load_table(table, row + c, n), dst, t * channels + c, n);
    });
  }
}

void gather_bert_rows(const BertEmbedding& args, int64_t first, int64_t last) {
  const int64_t channels = args.channels;
  for (int64_t t = first; t < last; ++t) {
    const int64_t word = args.ids[t] * channels, position = args.positions[t] * channels;
    const int64_t type = args.types != nullptr ? args.types[t] * channels : 0;
    for_vectors(0, channels, [&](int64_t c, std::size_t n) HWY_ATTR {
      V32 sum =
          hn::Add(load_table(args.word, word + c, n), load_table(args.position, position + c, n));
      if (args.type) sum = hn::Add(sum, load_table(args.type, type + c, n));
      store_any(sum, args.dst, t * channels + c, n);
    });
  }
}

void add_gradient_rows(const EmbeddingGrad& args) {
  const int32_t* last_id = args.unique_ids + args.unique_count;
  for_vectors(0, args.unique_count * args.channels, [&](int64_t i, std::size_t n) HWY_ATTR {
    store_any(set(0.0f), args.grad_rows, i, n);
  });
  for (int64_t t = args.first; t < args.last; ++t) {
    const int64_t row = std::lower_bound(args.unique_ids, last_id, args.ids[t]) - args.unique_ids;
    for_vectors(0, args.channels, [&](int64_t c, std::size_t n) HWY_ATTR {
      const int64_t i = row * args.channels + c;
      const V32 grad = load_any(args.grad_dst, t * args.channels + c, n);
      store_any(hn::Add(load_any(args.grad_rows, i, n), grad), args.grad_rows, i, n);
    });
  }
}

}  // namespace
}  // namespace inlay::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace inlay::kernels {
namespace {
HWY_EXPORT(gather_rows);
HWY_EXPORT(gather_bert_rows);
HWY_EXPORT(add_gradient_rows);
}  // namespace

void embedding_gather(Input table, const int32_t* ids, int64_t tokens, int64_t channels,
                      Output dst) {
  if (runs_in_double({dst}))
    return embedding_gather_reference<double>(table, ids, tokens, channels, dst);
  parallel_ranges(tokens, channels, [&](int64_t first, int64_t last) {
    HWY_DYNAMIC_DISPATCH(gather_rows)(table, ids, channels, dst, first, last);
  });
}

void bert_embedding_gather(const BertEmbedding& args) {
  if (runs_in_double({args.dst})) return bert_embedding_gather_reference<double>(args);
  parallel_ranges(args.tokens, args.channels, [&](int64_t first, int64_t last) {
    HWY_DYNAMIC_DISPATCH(gather_bert_rows)(args, first, last);
  });
}

void embedding_grad(const EmbeddingGrad& args) {
  if (runs_in_double({args.grad_dst, args.grad_rows}))
    return embedding_grad_reference<double>(args);
  HWY_DYNAMIC_DISPATCH(add_gradient_rows)(args);
}

}  // namespace inlay::kernels
#endif
