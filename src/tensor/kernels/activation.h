// Element-wise activation functions and their derivatives, found by the names that Hugging Face
// configurations use.
//
//   Activation kind = activation_from_name("gelu_new").value();
//   activation_forward(kind, x, y, count);
//   activation_backward(kind, x, grad_y, grad_x, count);
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "tensor/kernels/operand.h"

namespace inlay::kernels {

enum class Activation {
  kGelu,       // x Phi(x), with the error function
  kGeluTanh,   // x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) / 2
  kQuickGelu,  // x sigmoid(1.702 x)
  kRelu,
  kRelu6,  // min(max(x, 0), 6)
  kTanh,
  kSigmoid,
  kSilu,  // x sigmoid(x), also called swish
  kIdentity,
};

std::optional<Activation> activation_from_name(std::string_view name);
// The first of its names: "gelu", "gelu_new", ...
std::string_view activation_name(Activation kind);
// "gelu, gelu_new, ..." for messages.
std::string activation_names();

// dst_i = f(src_i). dst may have the address and type of src.
void activation_forward(Activation kind, Input src, Output dst, int64_t count);

// grad_src_i = grad_dst_i * f'(src_i), from the input of the forward call. grad_src may have the
// address and type of grad_dst.
void activation_backward(Activation kind, Input src, Input grad_dst, Output grad_src,
                         int64_t count);

}  // namespace inlay::kernels
