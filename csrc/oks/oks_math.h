#pragma once
#include "common/exp.h"

namespace ptfast {

// exp(-80) is 1.8e-35: below it a term adds nothing, and far below it exp would underflow, which costs 17 times as
// much. In units of log2: -80 * log2(e).
constexpr double kOksFloor = -115.415603271;

// -log2(e) / (2 (2 sigma)^2), so that a joint's OKS term is exp2(d^2 * factor / area). Contract of oks_matrix in oks.h.
template <typename T>
PTFAST_HD T oks_factor(T sigma) {
  return T(-0.18033688011112042591999) / (sigma * sigma);
}

// One joint's term of OKS. (dx, dy) is the joints' distance in pixels, scale is oks_factor(sigma) / area. NaN stays
// NaN.
template <typename T>
PTFAST_HD T oks_term(T dx, T dy, T scale) {
  const T t = (dx * dx + dy * dy) * scale;
  return exp2_unit(t < T(kOksFloor) ? T(kOksFloor) : t);
}

}  // namespace ptfast
