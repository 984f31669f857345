#pragma once
#include "common/exp.h"

namespace ptfast {

// Exponents are clamped at -80, in units of log2 here: -80 * log2(e). exp(-80) is 1.8e-35, which adds nothing to a
// mean. Far below it exp would underflow, and subnormal numbers cost 17 times as much.
constexpr double kOksFloor = -115.415603271;

// d/dx 2^(scale (dx^2 + dy^2)) = kTwoLn2 scale dx 2^(...).
constexpr double kTwoLn2 = 1.38629436111989061883;

// Bounds of a factor and of an area. Beyond them their quotient would be infinite, and 0 times that is NaN. What they
// leave of a joint with a sigma of 0, or of a pair with an area of 0, is 1 where the joints coincide and next to
// nothing where they are a millionth of a pixel apart; areas up to 1e9 square pixels keep it so for any sigma.
template <typename T>
constexpr T kOksSteepest = sizeof(T) > 4 ? T(-0x1p500) : T(-0x1p70);
template <typename T>
constexpr T kOksLeastArea = sizeof(T) > 4 ? T(0x1p-500) : T(0x1p-46);

// -log2(e) / (2 (2 sigma)^2), so that a joint's OKS term is exp2(d^2 * factor / area). Contract of oks_matrix in oks.h.
template <typename T>
PTFAST_HD T oks_factor(T sigma) {
  const T factor = T(-0.18033688011112042591999) / (sigma * sigma);
  return factor < kOksSteepest<T> ? kOksSteepest<T> : factor;
}

// One joint's term of OKS. (dx, dy) is the joints' distance in pixels, scale is oks_factor(sigma) / area. NaN stays
// NaN. A GPU's exp2 needs no floor.
template <typename T>
PTFAST_HD T oks_term(T dx, T dy, T scale) {
  const T t = (dx * dx + dy * dy) * scale;
#ifdef __CUDA_ARCH__
  return exp2_unit(t);
#else
  return exp2_unit(t < T(kOksFloor) ? T(kOksFloor) : t);
#endif
}

// The same term where limit = kOksFloor / scale is known beforehand, which saves a multiplication.
template <typename T>
PTFAST_HD T oks_term(T dx, T dy, T scale, T limit) {
  const T squared = dx * dx + dy * dy;
  return exp2_product(limit < squared ? limit : squared, scale);
}

// The mean of two areas, which overflows only where they do.
template <typename T>
PTFAST_HD T oks_mean_area(T a, T b) {
  return a * T(0.5) + b * T(0.5);
}

// The area to divide by. One that is not positive becomes the least.
template <typename T>
PTFAST_HD T oks_area(T area) {
  return area > kOksLeastArea<T> ? area : kOksLeastArea<T>;
}

// OKS from the sum of the terms with oks_area, their number and the pair's area: 0 without joints. Where the area is
// not positive, it is 1 if all joints coincide, else 0.
template <typename T>
PTFAST_HD T oks_mean(T sum, T count, T area) {
  const T exact = sum == count ? T(1) : T(0);
  const T mean = area > T(0) ? sum / count : exact;
  return count > T(0) ? mean : T(0);
}

}  // namespace ptfast
