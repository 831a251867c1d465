// Activation functions and their slopes on vectors of f32, for use inside Highway kernels:
//
//   with_function(kind, [&](auto function) HWY_ATTR { ... function.value(x) ... function.slope(x)
//   });

#if defined(INLAY_KERNELS_ACTIVATION_FUNCTIONS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef INLAY_KERNELS_ACTIVATION_FUNCTIONS_INL_H_
#undef INLAY_KERNELS_ACTIVATION_FUNCTIONS_INL_H_
#else
#define INLAY_KERNELS_ACTIVATION_FUNCTIONS_INL_H_
#endif

#include <hwy/highway.h>

#include "tensor/kernels/activation.h"
#include "tensor/kernels/row_fold-inl.h"
#include "tensor/kernels/vector_math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace inlay::kernels::HWY_NAMESPACE {

constexpr float kTwoRootTwoOverPi = 1.5957691216057308f;  // 2 sqrt(2 / pi)

// x sigmoid(u), and its slope when u' is the slope of u: s + x s (1 - s) u'.
HWY_INLINE V32 gated(V32 x, V32 u) { return hn::Mul(x, sigmoid_f32(F32(), u)); }

HWY_INLINE V32 gated_slope(V32 x, V32 u, V32 u_slope) {
  const V32 s = sigmoid_f32(F32(), u);
  return hn::MulAdd(hn::Mul(hn::Mul(x, u_slope), s), hn::Sub(set(1.0f), s), s);
}

// The argument of the tanh approximation, doubled: 2 sqrt(2 / pi) (x + 0.044715 x^3).
HWY_INLINE V32 gelu_argument(V32 x) {
  const V32 cubic =
      hn::MulAdd(hn::Mul(x, x), set(0.044715f * kTwoRootTwoOverPi), set(kTwoRootTwoOverPi));
  return hn::Mul(x, cubic);
}

struct Gelu {
  // x Phi(x) = max(x, 0) - |x| Q(|x|), which keeps its relative precision where Phi is near 0.
  static HWY_INLINE V32 value(V32 x) {
    const V32 t = hn::Abs(x);
    const V32 density = exp_f32(F32(), hn::Mul(hn::Mul(t, t), set(-0.5f)));
    const V32 tail = hn::Mul(hn::Min(t, set(14.0f)), normal_tail_f32(F32(), t, density));
    return hn::Sub(hn::IfThenZeroElse(hn::Lt(x, set(0.0f)), x), tail);
  }
  // Phi(x) + x phi(x)
  static HWY_INLINE V32 slope(V32 x) {
    const V32 t = hn::Abs(x);
    const V32 density = exp_f32(F32(), hn::Mul(hn::Mul(t, t), set(-0.5f)));
    const V32 tail = normal_tail_f32(F32(), t, density);
    const V32 phi = hn::IfThenElse(hn::Lt(x, set(0.0f)), tail, hn::Sub(set(1.0f), tail));
    return hn::MulAdd(hn::Mul(x, set(0.3989422804014327f)), density, phi);
  }
};

struct GeluTanh {
  static HWY_INLINE V32 value(V32 x) { return gated(x, gelu_argument(x)); }
  static HWY_INLINE V32 slope(V32 x) {
    const V32 u_slope =
        hn::MulAdd(hn::Mul(x, x), set(3 * 0.044715f * kTwoRootTwoOverPi), set(kTwoRootTwoOverPi));
    return gated_slope(x, gelu_argument(x), u_slope);
  }
};

struct QuickGelu {
  static HWY_INLINE V32 value(V32 x) { return gated(x, hn::Mul(x, set(1.702f))); }
  static HWY_INLINE V32 slope(V32 x) {
    return gated_slope(x, hn::Mul(x, set(1.702f)), set(1.702f));
  }
};

struct Silu {
  static HWY_INLINE V32 value(V32 x) { return gated(x, x); }
  static HWY_INLINE V32 slope(V32 x) { return gated_slope(x, x, set(1.0f)); }
};

struct Relu {
  static HWY_INLINE V32 value(V32 x) { return hn::IfThenZeroElse(hn::Lt(x, set(0.0f)), x); }
  static HWY_INLINE V32 slope(V32 x) { return hn::IfThenElseZero(hn::Gt(x, set(0.0f)), set(1.0f)); }
};

struct Relu6 {
  static HWY_INLINE V32 value(V32 x) {
    return hn::IfThenElse(hn::Gt(x, set(6.0f)), set(6.0f), Relu::value(x));
  }
  static HWY_INLINE V32 slope(V32 x) {
    return hn::IfThenElseZero(hn::Lt(x, set(6.0f)), Relu::slope(x));
  }
};

struct Tanh {
  static HWY_INLINE V32 value(V32 x) { return tanh_f32(F32(), x); }
  static HWY_INLINE V32 slope(V32 x) {
    const V32 y = tanh_f32(F32(), x);
    return hn::NegMulAdd(y, y, set(1.0f));
  }
};

struct Sigmoid {
  static HWY_INLINE V32 value(V32 x) { return sigmoid_f32(F32(), x); }
  static HWY_INLINE V32 slope(V32 x) {
    const V32 s = sigmoid_f32(F32(), x);
    return hn::Mul(s, hn::Sub(set(1.0f), s));
  }
};

struct Identity {
  static HWY_INLINE V32 value(V32 x) { return x; }
  static HWY_INLINE V32 slope(V32 /*x*/) { return set(1.0f); }
};

// run(function) with the type that computes `kind`.
template <class Run>
void with_function(Activation kind, const Run& run) {
  switch (kind) {
    case Activation::kGelu:
      return run(Gelu());
    case Activation::kGeluTanh:
      return run(GeluTanh());
    case Activation::kQuickGelu:
      return run(QuickGelu());
    case Activation::kRelu:
      return run(Relu());
    case Activation::kRelu6:
      return run(Relu6());
    case Activation::kTanh:
      return run(Tanh());
    case Activation::kSigmoid:
      return run(Sigmoid());
    case Activation::kSilu:
      return run(Silu());
    case Activation::kIdentity:
      return run(Identity());
  }
}

}  // namespace inlay::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
