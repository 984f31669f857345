#pragma once
#include "common/exp.h"

namespace ptfast {

// Exponents are clamped at -80, in units of log2 here: -80 * log2(e). exp(-80) is 1.8e-35, which adds nothing to a
// mean. Far below it exp would underflow, and subnormal numbers cost 17 times as much.
constexpr double kOksFloor = -115.415603271;

// d/dx 2^(scale (dx^2 + dy^2)) = kTwoLn2 scale dx 2^(...).
constexpr double kTwoLn2 = 1.38629436111989061883;

// -log2(e) / (2 (2 sigma)^2), so that a joint's OKS term is exp2(d^2 * factor / area). Contract of oks_matrix in oks.h.
template <typename T>
PTFAST_HD T oks_factor(T sigma) {
  return T(-0.18033688011112042591999) / (sigma * sigma);
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

// The area to divide by. One that is not positive becomes so small that a term is 1 where the joints coincide and next
// to nothing elsewhere.
template <typename T>
PTFAST_HD T oks_area(T area) {
  return area > T(0) ? area : T(1e-30);
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
