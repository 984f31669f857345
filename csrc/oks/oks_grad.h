#pragma once
#include "oks/oks.h"
#include "oks/oks_math.h"

namespace ptfast {

// Visibility, area and joints of one (row of a, column of b) pair.
template <typename T>
struct OksPair {
  const T* a;                // [k, 2]
  const T* b;                // [k, 2]
  const uint8_t* a_visible;  // [k] or null
  const uint8_t* b_visible;  // [k] or null
  T area;

  PTFAST_HD OksPair(const OksInputs<T>& in, int64_t row, int64_t column)
      : a(in.a + row * in.shape.k * 2),
        b(in.b + column * in.shape.k * 2),
        a_visible(in.a_visible == nullptr ? nullptr : in.a_visible + row * in.shape.k),
        b_visible(in.b_visible == nullptr ? nullptr : in.b_visible + column * in.shape.k),
        area(in.area_a == nullptr ? in.area_b[column] : oks_mean_area(in.area_a[row], in.area_b[column])) {}

  PTFAST_HD bool common(int64_t k) const {
    return (a_visible == nullptr || a_visible[k] != 0) && (b_visible == nullptr || b_visible[k] != 0);
  }
};

// Gradient with respect to one pose: `row` of a, or of b where kTransposed. One thread sums a row in a fixed order, so
// the result does not depend on the number of threads. The derivative of a term by x is kTwoLn2 scale dx term, and the
// mean divides by the number of common joints.
// grad_out: [batch, n, m], grad: [k, 2]
template <typename T, bool kTransposed>
PTFAST_HD void oks_gradient_row(const OksInputs<T>& in, const T* grad_out, int64_t row, T* grad) {
  const auto& s = in.shape;
  const int64_t own = kTransposed ? s.m : s.n, others = kTransposed ? s.n : s.m;
  const int64_t problem = row / own;
  for (int64_t i = 0; i < 2 * s.k; ++i) grad[i] = T(0);
  for (int64_t other = problem * others; other < (problem + 1) * others; ++other) {
    const int64_t a = kTransposed ? other : row, b = kTransposed ? row : other;
    const OksPair<T> pair(in, a, b);
    int64_t count = 0;
    for (int64_t k = 0; k < s.k; ++k) count += pair.common(k);
    if (count == 0 || !(pair.area > kOksLeastArea<T>)) continue;
    const T weight = grad_out[a * s.m + b % s.m] / T(count) * (kTransposed ? T(-1) : T(1));
    for (int64_t k = 0; k < s.k; ++k) {
      const T factor = oks_factor(in.sigmas[k]);
      if (!pair.common(k) || factor == kOksSteepest<T>) continue;
      const T scale = factor / pair.area;
      const T dx = pair.a[2 * k] - pair.b[2 * k], dy = pair.a[2 * k + 1] - pair.b[2 * k + 1];
      const T slope = weight * oks_term(dx, dy, scale) * scale * T(kTwoLn2);
      grad[2 * k] += slope * dx;
      grad[2 * k + 1] += slope * dy;
    }
  }
}

}  // namespace ptfast
