#include "tensor/kernels/activation.h"

#include <array>

#include "tensor/kernels/activation_reference.h"

namespace inlay::kernels {
namespace {

struct Row {
  std::string_view name;
  Activation kind;
};

// For each function the name that Inlay prints comes first.
constexpr std::array<Row, 11> kNames = {{{"gelu", Activation::kGelu},
                                         {"gelu_new", Activation::kGeluTanh},
                                         {"gelu_pytorch_tanh", Activation::kGeluTanh},
                                         {"quick_gelu", Activation::kQuickGelu},
                                         {"relu", Activation::kRelu},
                                         {"tanh", Activation::kTanh},
                                         {"sigmoid", Activation::kSigmoid},
                                         {"silu", Activation::kSilu},
                                         {"swish", Activation::kSilu},
                                         {"linear", Activation::kIdentity},
                                         {"identity", Activation::kIdentity}}};

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
  if (src.dtype() == DType::kF64)
    return activation_forward_reference<double>(kind, src, dst, count);
  activation_forward_reference<float>(kind, src, dst, count);
}

void activation_backward(Activation kind, Input src, Input grad_dst, Output grad_src,
                         int64_t count) {
  if (src.dtype() == DType::kF64)
    return activation_backward_reference<double>(kind, src, grad_dst, grad_src, count);
  activation_backward_reference<float>(kind, src, grad_dst, grad_src, count);
}

}  // namespace inlay::kernels
