#pragma once
#include "assignment/assignment_math.h"
#include "assignment/lanes.h"

namespace ptfast {

// One problem's costs, with the rules for reading them.
template <typename T>
struct Costs {
  const T* values;  // [rows, columns]
  int64_t rows, columns;
  T max_cost;
  T above;            // replaces a cost above max_cost and NaN
  T lowest, highest;  // limits of the numbers that the algorithm can work with

  bool allows(int64_t row, int64_t column) const { return ptfast::allows(values[row * columns + column], max_cost); }
};

template <typename T>
PTFAST_INLINE int64_t vectors_for(int64_t columns) {
  return (columns + kLanes<T> - 1) / kLanes<T>;
}

// kLanes values from `source`, zeros from `end` on.
template <typename T>
PTFAST_INLINE Reals<T> load(const T* source, const T* end) {
  Reals<T> x{};
  if (end - source >= kLanes<T>)
    std::memcpy(&x, source, sizeof x);
  else if (end > source)
    std::memcpy(&x, source, (end - source) * sizeof(T));
  return x;
}

// Copies rows to whole vectors, +inf beyond the last column. False if a cost is NaN or, once those above max_cost are
// replaced, not within [lowest, highest].
// out: [rows, vectors_for(columns)]
template <typename T>
PTFAST_INLINE bool pack_rows(const Costs<T>& in, Reals<T>* out) {
  const int64_t vectors = vectors_for<T>(in.columns);
  const T* end = in.values + in.rows * in.columns;
  Integers<T> fits = ~Integers<T>{};
  for (int64_t i = 0; i < in.rows; ++i) {
    Integers<T> column = lane_numbers<T>();
    for (int64_t v = 0; v < vectors; ++v, column += kLanes<T>) {
      const Reals<T> cost = load(in.values + i * in.columns + v * kLanes<T>, end);
      const Reals<T> kept = cost <= in.max_cost ? cost : Reals<T>{} + in.above;
      const Integers<T> inside = column < static_cast<Integer<T>>(in.columns);
      fits &= ((cost == cost) & (kept >= in.lowest) & (kept <= in.highest)) | ~inside;
      *out++ = inside ? kept + T(0) : Reals<T>{} + kInfinity<T>;  // + 0 turns -0 into 0
    }
  }
  bool all = true;
  for (int lane = 0; lane < kLanes<T>; ++lane) all &= fits[lane] != 0;
  return all;
}

}  // namespace ptfast
