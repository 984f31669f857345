#pragma once
#include "assignment/packing.h"

namespace ptfast {

// The same problem in numbers whose sums stay finite, for costs that hold infinities or come near overflow. Where no
// max_cost says what a forbidden pair is worth, it costs more than all others together could save.
// out: [in.rows, in.columns]
template <typename T>
PTFAST_INLINE void to_moderate(const Costs<T>& in, double* out) {
  const T* values = in.values;
  const T max_cost = in.max_cost, infinity = kInfinity<T>;
  const int64_t count = in.rows * in.columns;
  Integer<T> highest = 0;  // bits of the largest magnitude
  for (int64_t i = 0; i < count; ++i) {
    const bool allowed = (values[i] <= max_cost) & (values[i] < infinity) & (values[i] > -infinity);
    const Integer<T> bits = allowed ? bits_of(values[i]) & kHighest<T> : 0;
    highest = bits > highest ? bits : highest;
  }
  const double magnitude = real_of<T>(highest), limit = max_cost, size = limit < 0 ? -limit : limit;
  const bool limited = size < kInfinity<double>;
  const double scale = magnitude > 0x1p900 || (limited && size > 0x1p900) ? 0x1p-200 : 1.0;
  const double beyond = magnitude > 0 ? 4.0 * static_cast<double>(in.rows + 1) * (magnitude * scale) : 1.0;
  const double forbidden = limited ? limit * scale : beyond;
  for (int64_t i = 0; i < count; ++i) {
    const bool allowed = (values[i] <= max_cost) & (values[i] < infinity) & (values[i] > -infinity);
    out[i] = allowed ? static_cast<double>(values[i]) * scale : forbidden;
  }
}

}  // namespace ptfast
