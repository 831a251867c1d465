// Elementary functions on vectors of f32, from polynomials of our own, so that results do not
// depend on a libm. The largest errors were measured over the whole range (the test repeats it); an
// ulp is a unit in the last place of the exact result.
//
//   exp_f32     1.0 ulp (1.3 without FMA); below -87.7 it is 0, above 88.37 infinity
//   log_f32     0.9 ulp for normal numbers; the argument must not be negative, zero or subnormal
//   tanh_f32    5 ulp (7 without FMA)
//   sigmoid_f32 3 ulp
//   normal_tail_f32  6 ulp: Q(t) = erfc(t / sqrt(2)) / 2 for t >= 0
//
// NaN gives NaN. Coefficients: minimax fits of the relative error (Lawson's weighted least squares)
// in f64.

#if defined(INLAY_KERNELS_VECTOR_MATH_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef INLAY_KERNELS_VECTOR_MATH_INL_H_
#undef INLAY_KERNELS_VECTOR_MATH_INL_H_
#else
#define INLAY_KERNELS_VECTOR_MATH_INL_H_
#endif

#include <hwy/highway.h>

#include <limits>

HWY_BEFORE_NAMESPACE();
namespace inlay::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// c0 + c1 x + c2 x^2 + ..., by Horner's rule.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V polynomial_f32(D d, V /*x*/, float c0) {
  return hn::Set(d, c0);
}

template <class D, class V = hn::Vec<D>, class... Rest>
HWY_INLINE V polynomial_f32(D d, V x, float c0, Rest... rest) {
  return hn::MulAdd(polynomial_f32(d, x, rest...), x, hn::Set(d, c0));
}

// x within [low, high]; a NaN stays. Vector instructions give the second operand, or NaN, when one
// is NaN; Highway's scalar target gives the other one.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V clamp_f32(D d, V x, float low, float high) {
#if HWY_TARGET == HWY_SCALAR
  x = hn::IfThenElse(hn::Lt(x, hn::Set(d, low)), hn::Set(d, low), x);
  return hn::IfThenElse(hn::Gt(x, hn::Set(d, high)), hn::Set(d, high), x);
#else
  return hn::Min(hn::Set(d, high), hn::Max(hn::Set(d, low), x));
#endif
}

// exp(x) = 2^n exp(r), n = round(x / ln 2), |r| <= ln(2) / 2. Adding 1.5 * 2^23 rounds x / ln 2 to
// an integer, which is then in the low bits; moved into the exponent of 1 they make 2^n. Beyond the
// clamp that gives 0 and infinity by itself.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V exp_f32(D d, V x) {
  const hn::RebindToSigned<D> di;
  x = clamp_f32(d, x, -88.0f, 88.5f);
  const V magic = hn::Set(d, 12582912.0f);
  const V shifted = hn::MulAdd(x, hn::Set(d, 1.44269504f), magic);
  const V n = hn::Sub(shifted, magic);
  // ln 2 in two parts; the product with the first is exact.
  V r = hn::MulAdd(n, hn::Set(d, -0.693359375f), x);
  r = hn::MulAdd(n, hn::Set(d, 2.12194440e-4f), r);
  const V q = polynomial_f32(d, r, 0.4999999403953552f, 0.1666651964187622f, 0.04166840761899948f,
                             0.008368921466171741f, 0.0013814173871651292f);
  const V p = hn::Add(hn::MulAdd(q, hn::Mul(r, r), r), hn::Set(d, 1.0f));
  const auto exponent = hn::ShiftLeft<23>(hn::BitCast(di, shifted));
  const V power = hn::BitCast(d, hn::Add(exponent, hn::BitCast(di, hn::Set(d, 1.0f))));
  return hn::Mul(p, power);
}

// log(x) = e ln 2 + log(1 + f), x = 2^e (1 + f) with 1 + f in [sqrt(1/2), sqrt(2)).
template <class D, class V = hn::Vec<D>>
HWY_INLINE V log_f32(D d, V x) {
  const hn::RebindToSigned<D> di;
  // Subtracting the bits of sqrt(1/2) moves the exponent's carry to where the mantissa passes
  // sqrt(2).
  const auto offset = hn::Sub(hn::BitCast(di, x), hn::Set(di, 0x3f3504f3));
  const V e = hn::ConvertTo(d, hn::ShiftRight<23>(offset));
  const auto mantissa = hn::Add(hn::And(offset, hn::Set(di, 0x7fffff)), hn::Set(di, 0x3f3504f3));
  const V f = hn::Sub(hn::BitCast(d, mantissa), hn::Set(d, 1.0f));
  const V q = polynomial_f32(d, f, 0.3333333134651184f, -0.2500081956386566f, 0.20001226663589478f,
                             -0.16623356938362122f, 0.14201758801937103f, -0.13160182535648346f,
                             0.12761574983596802f, -0.07634493708610535f);
  const V square = hn::Mul(f, f);
  V y = hn::Mul(hn::Mul(f, square), q);
  y = hn::MulAdd(e, hn::Set(d, -2.12194440e-4f), y);
  y = hn::Add(f, hn::MulAdd(square, hn::Set(d, -0.5f), y));
  y = hn::MulAdd(e, hn::Set(d, 0.693359375f), y);
  // Infinity and NaN as they are.
  return hn::IfThenElse(hn::Lt(x, hn::Set(d, std::numeric_limits<float>::infinity())), y, x);
}

// log(1 + z) for z in [0, 1]: the logarithm of the rounded sum, and to first order what rounding
// lost.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V log1p_f32(D d, V z) {
  const V one = hn::Set(d, 1.0f);
  const V u = hn::Add(one, z);
  return hn::Add(log_f32(d, u), hn::Div(hn::Sub(z, hn::Sub(u, one)), u));
}

// x P(x^2) / Q(x^2) up to where the result rounds to 1.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V tanh_f32(D d, V x) {
  const V inside = clamp_f32(d, x, -9.02f, 9.02f);
  const V z = hn::Mul(inside, inside);
  const V p =
      polynomial_f32(d, z, 0.9999999792104192f, 0.13379666588782657f, 0.0034939724923294686f,
                     2.058243358725555e-05f, 1.3317600647659894e-08f);
  const V q = polynomial_f32(d, z, 1.0f, 0.46712981906589385f, 0.025870839659354723f,
                             0.0003282989988911761f, 7.761419937425916e-07f);
  return clamp_f32(d, hn::Div(hn::Mul(inside, p), q), -1.0f, 1.0f);
}

template <class D, class V = hn::Vec<D>>
HWY_INLINE V sigmoid_f32(D d, V x) {
  const V one = hn::Set(d, 1.0f);
  return hn::Div(one, hn::Add(one, exp_f32(d, hn::Neg(x))));
}

// Q(t) = exp(-t^2 / 2) R(t), R rational; `density` is exp(-t^2 / 2), which derivatives need too.
// REQUIRES: t >= 0.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V normal_tail_f32(D d, V t, V density) {
  t = clamp_f32(d, t, 0.0f, 14.0f);
  const V p = polynomial_f32(d, t, 0.5000000024831378f, 0.43569214111364185f, 0.18131109752846597f,
                             0.03998563942026265f, 0.004020407701231126f);
  const V q = polynomial_f32(d, t, 1.0f, 1.6692692010672092f, 1.1945021828048352f,
                             0.46439178357153227f, 0.10023651384740113f, 0.010077524442795091f);
  return hn::Mul(density, hn::Div(p, q));
}

}  // namespace inlay::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
