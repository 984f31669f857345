#pragma once
#include "assignment/packing.h"

namespace ptfast {

// The same problem in numbers whose sums stay finite, for costs that hold infinities or come near overflow.
// out: [in.rows, in.columns]
template <typename T>
PTFAST_INLINE void to_moderate(const Costs<T>& in, double* out) {
  const T* values = in.values;
  const T max_cost = in.max_cost;
  const int64_t count = in.rows * in.columns;
  Integer<T> highest = 0;  // bits of the largest magnitude
  for (int64_t i = 0; i < count; ++i) {
    const Integer<T> bits = is_moderate(values[i], max_cost) ? bits_of(values[i]) & kHighest<T> : 0;
    highest = bits > highest ? bits : highest;
  }
  const auto [factor, forbidden] = moderate_scale(real_of<T>(highest), max_cost, in.rows);
  for (int64_t i = 0; i < count; ++i)
    out[i] = is_moderate(values[i], max_cost) ? static_cast<double>(values[i]) * factor : forbidden;
}

}  // namespace ptfast
