#include "tensor/kernels/activation.h"

#include <array>

#include "tensor/kernels/activation_reference.h"
#include "tensor/kernels/parallel.h"
#include "tensor/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/kernels/activation.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "tensor/kernels/activation_functions-inl.h"

HWY_BEFORE_NAMESPACE();
namespace inlay::kernels::HWY_NAMESPACE {
namespace {

void forward_range(Activation kind, const Input& src, const Output& dst, int64_t first,
                   int64_t last) {
  with_function(kind, [&](auto function) HWY_ATTR {
    for_vectors(first, last, [&](int64_t i, std::size_t n) HWY_ATTR {
      store_any(function.value(load_any(src, i, n)), dst, i, n);
    });
  });
}

void backward_range(Activation kind, const Input& src, const Input& grad_dst,
                    const Output& grad_src, int64_t first, int64_t last) {
  with_function(kind, [&](auto function) HWY_ATTR {
    for_vectors(first, last, [&](int64_t i, std::size_t n) HWY_ATTR {
      const V32 slope = function.slope(load_any(src, i, n));
      store_any(hn::Mul(load_any(grad_dst, i, n), slope), grad_src, i, n);
    });
  });
}

}  // namespace
}  // namespace inlay::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace inlay::kernels {
namespace {

struct Row {
  std::string_view name;
  Activation kind;
};

// For each function the name that Inlay prints comes first.
constexpr std::array<Row, 12> kNames = {{{"gelu", Activation::kGelu},
                                         {"gelu_new", Activation::kGeluTanh},
                                         {"gelu_pytorch_tanh", Activation::kGeluTanh},
                                         {"quick_gelu", Activation::kQuickGelu},
                                         {"relu", Activation::kRelu},
                                         {"relu6", Activation::kRelu6},
                                         {"tanh", Activation::kTanh},
                                         {"sigmoid", Activation::kSigmoid},
                                         {"silu", Activation::kSilu},
                                         {"swish", Activation::kSilu},
                                         {"linear", Activation::kIdentity},
                                         {"identity", Activation::kIdentity}}};

HWY_EXPORT(forward_range);
HWY_EXPORT(backward_range);

}  // namespace

std::optional<Activation> activation_from_name(std::string_view name) {
  for (const Row& row : kNames) {
    if (row.name == name) return row.kind;
  }
  return std::nullopt;
}

std::string_view activation_name(Activation kind) {
  for (const Row& row : kNames) {
    if (row.kind == kind) return row.name;
  }
  return "";
}

std::string activation_names() {
  std::string names;
  for (const Row& row : kNames) {
    if (!names.empty()) names += ", ";
    names += row.name;
  }
  return names;
}

void activation_forward(Activation kind, Input src, Output dst, int64_t count) {
  if (runs_in_double({src, dst}))
    return activation_forward_reference<double>(kind, src, dst, count);
  parallel_elements(count, [&](int64_t first, int64_t last) {
    HWY_DYNAMIC_DISPATCH(forward_range)(kind, src, dst, first, last);
  });
}

void activation_backward(Activation kind, Input src, Input grad_dst, Output grad_src,
                         int64_t count) {
  if (runs_in_double({src, grad_dst, grad_src})) {
    return activation_backward_reference<double>(kind, src, grad_dst, grad_src, count);
  }
  parallel_elements(count, [&](int64_t first, int64_t last) {
    HWY_DYNAMIC_DISPATCH(backward_range)(kind, src, grad_dst, grad_src, first, last);
  });
}

}  // namespace inlay::kernels
#endif
