// Attention as its definition reads, one (sequence, head, query) after another, in f32 or f64: the
// oracle of the fast kernel, and the kernel of f64 gradient checks. Argument structs are those of
// attention.h; their `dtype` is not read.
//
//   attention_reference_forward<double>(args);
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>
#include <vector>

#include "tensor/kernels/attention.h"
#include "tensor/kernels/soft_cap_reference.h"

namespace inlay::kernels {

// What f32 and bf16 elements are computed in, and f64 ones.
template <class Element>
using ReferenceStat = std::conditional_t<std::is_same_v<Element, double>, double, float>;

// One head of one sequence, with typed pointers to its first elements.
template <class Element>
class ReferenceHead {
 public:
  using Stat = ReferenceStat<Element>;

  ReferenceHead(const AttentionArgs& args, int64_t sequence, int64_t head)
      : args_(args),
        first_query_(args.query_offsets[sequence]),
        first_key_(args.key_offsets[sequence]),
        queries_(args.query_offsets[sequence + 1] - first_query_),
        keys_(args.key_offsets[sequence + 1] - first_key_),
        head_(head),
        kv_head_(head / (args.heads / args.kv_heads)) {}

  int64_t queries() const { return queries_; }
  int64_t keys() const { return keys_; }

  // Keys that query i attends: all before this one.
  int64_t limit(int64_t i) const {
    int64_t last = args_.causal ? i + 1 + keys_ - queries_ : keys_;
    return last < 0 ? 0 : last;
  }

  // The first of them.
  int64_t first(int64_t i) const {
    return args_.window == 0 || limit(i) < args_.window ? 0 : limit(i) - args_.window;
  }

  // Row i of a (Tq, H*D), or row j of a (Tk, Hkv*D), at this head.
  template <class Pointer>
  auto query_row(Pointer* base, int64_t stride, int64_t i) const {
    return typed(base) + (first_query_ + i) * stride + head_ * args_.head_dim;
  }
  template <class Pointer>
  auto key_row(Pointer* base, int64_t stride, int64_t j) const {
    return typed(base) + (first_key_ + j) * stride + kv_head_ * args_.head_dim;
  }

  Stat dot(const Element* a, const Element* b) const {
    Stat sum = 0;
    for (int64_t d = 0; d < args_.head_dim; ++d)
      sum += static_cast<Stat>(a[d]) * static_cast<Stat>(b[d]);
    return sum;
  }

  // scale * q_i.k_j, capped.
  SoftCapped<Stat> capped(int64_t i, int64_t j) const {
    Stat product = static_cast<Stat>(args_.scale) *
                   dot(query_row(args_.q, args_.q_stride, i), key_row(args_.k, args_.k_stride, j));
    return soft_capped(product, static_cast<Stat>(args_.soft_cap));
  }

  Stat cap_slope(int64_t i, int64_t j) const {
    return args_.soft_cap == 0 ? 1 : capped(i, j).slope;
  }

  Stat score(int64_t i, int64_t j) const {
    Stat bias = 0;
    if (args_.bias != nullptr) {
      bias = static_cast<const Stat*>(
          args_.bias)[head_ * args_.bias_head_stride + i * args_.bias_query_stride + j];
    }
    return capped(i, j).value + bias;
  }

  // Probabilities of row i over the keys before limit(i), zero before first(i), and the log-sum-exp
  // of its scores.
  Stat softmax(int64_t i, std::vector<Stat>& p) const {
    Stat largest = -std::numeric_limits<Stat>::infinity();
    p.assign(static_cast<std::size_t>(limit(i)), largest);
    for (int64_t j = first(i); j < limit(i); ++j) {
      p[j] = score(i, j);
      largest = std::max(largest, p[j]);
    }
    Stat sum = 0;
    if (std::isinf(largest) && largest < 0) {
      p.assign(p.size(), Stat(0));
      return largest;
    }
    for (Stat& value : p) sum += value = std::exp(value - largest);
    for (Stat& value : p) value /= sum;
    return largest + std::log(sum);
  }

 private:
  template <class Pointer>
  static auto typed(Pointer* base) {
    return static_cast<std::conditional_t<std::is_const_v<Pointer>, const Element*, Element*>>(
        base);
  }

  const AttentionArgs& args_;
  int64_t first_query_, first_key_, queries_, keys_, head_, kv_head_;
};

template <class Element>
void attention_reference_forward(const AttentionArgs& args) {
  using Stat = ReferenceStat<Element>;
  std::vector<Stat> p, row(static_cast<std::size_t>(args.head_dim));
  auto* lse = static_cast<Stat*>(args.lse);
  for (std::size_t b = 0; b + 1 < args.query_offsets.size(); ++b) {
    for (int64_t h = 0; h < args.heads; ++h) {
      ReferenceHead<Element> head(args, static_cast<int64_t>(b), h);
      for (int64_t i = 0; i < head.queries(); ++i) {
        Stat log_sum = head.softmax(i, p);
        if (lse != nullptr)
          lse[h * args.query_offsets.back() + args.query_offsets[b] + i] = log_sum;
        row.assign(row.size(), Stat(0));
        for (int64_t j = 0; j < head.limit(i); ++j) {
          const Element* value = head.key_row(args.v, args.v_stride, j);
          for (int64_t d = 0; d < args.head_dim; ++d) row[d] += p[j] * static_cast<Stat>(value[d]);
        }
        Element* out = head.query_row(args.out, args.out_stride, i);
        for (int64_t d = 0; d < args.head_dim; ++d) out[d] = static_cast<Element>(row[d]);
      }
    }
  }
}

// Adds the gradients of query i of one head to f32 or f64 rows: dq_row (D), dk and dv (keys, D).
//   dP = dO V^T,  dS = P (dP - sum(dP P)),  dQ = scale dS K,  dK = scale dS^T Q,  dV = P^T dO
template <class Element, class Stat>
void attention_reference_row(const AttentionGradArgs& args, const ReferenceHead<Element>& head,
                             int64_t i, Stat* dq_row, Stat* dk, Stat* dv, Stat* dbias_row) {
  const AttentionArgs& forward = args.forward;
  std::vector<Stat> p;
  head.softmax(i, p);
  const Element* grad = head.query_row(args.out_grad, args.out_grad_stride, i);
  const Element* query = head.query_row(forward.q, forward.q_stride, i);
  std::vector<Stat> dp(p.size());
  Stat mean = 0;
  for (std::size_t j = 0; j < p.size(); ++j) {
    dp[j] = head.dot(grad, head.key_row(forward.v, forward.v_stride, j));
    mean += dp[j] * p[j];
  }
  for (std::size_t j = 0; j < p.size(); ++j) {
    Stat ds = p[j] * (dp[j] - mean);
    if (dbias_row != nullptr) dbias_row[j] += ds;
    ds *= static_cast<Stat>(forward.scale) * head.cap_slope(i, static_cast<int64_t>(j));
    const Element* key = head.key_row(forward.k, forward.k_stride, j);
    for (int64_t d = 0; d < forward.head_dim; ++d) {
      dq_row[d] += ds * static_cast<Stat>(key[d]);
      dk[j * forward.head_dim + d] += ds * static_cast<Stat>(query[d]);
      dv[j * forward.head_dim + d] += p[j] * static_cast<Stat>(grad[d]);
    }
  }
}

template <class Element>
void attention_reference_backward(const AttentionGradArgs& args) {
  using Stat = ReferenceStat<Element>;
  const AttentionArgs& forward = args.forward;
  const int64_t depth = forward.head_dim, group = forward.heads / forward.kv_heads;
  for (std::size_t b = 0; b + 1 < forward.query_offsets.size(); ++b) {
    for (int64_t kv = 0; kv < forward.kv_heads; ++kv) {
      const auto elements =
          static_cast<std::size_t>((forward.key_offsets[b + 1] - forward.key_offsets[b]) * depth);
      std::vector<Stat> dk(elements), dv(elements), dq(static_cast<std::size_t>(depth));
      for (int64_t h = kv * group; h < (kv + 1) * group; ++h) {
        ReferenceHead<Element> head(forward, static_cast<int64_t>(b), h);
        for (int64_t i = 0; i < head.queries(); ++i) {
          Stat* dbias = static_cast<Stat*>(args.dbias);
          if (dbias != nullptr) dbias += h * args.dbias_head_stride + i * args.dbias_query_stride;
          dq.assign(dq.size(), Stat(0));
          attention_reference_row(args, head, i, dq.data(), dk.data(), dv.data(), dbias);
          if (args.dq == nullptr) continue;
          Element* dst = head.query_row(args.dq, args.dq_stride, i);
          for (int64_t d = 0; d < depth; ++d) dst[d] = static_cast<Element>(dq[d]);
        }
      }
      ReferenceHead<Element> head(forward, static_cast<int64_t>(b), kv * group);
      for (int64_t j = 0; j < head.keys(); ++j) {
        for (int64_t d = 0; d < depth; ++d) {
          if (args.dk != nullptr) {
            head.key_row(args.dk, args.dk_stride, j)[d] = static_cast<Element>(dk[j * depth + d]);
          }
          if (args.dv != nullptr) {
            head.key_row(args.dv, args.dv_stride, j)[d] = static_cast<Element>(dv[j * depth + d]);
          }
        }
      }
    }
  }
}

}  // namespace inlay::kernels
