#pragma once
#include "assignment/assignment_math.h"
#include "common/warp.h"

namespace ptfast {

// A problem's costs in shared memory.
template <typename T>
struct WarpCosts {
  const T* values;  // [rows, columns]
  int rows, columns;
  T max_cost;

  __device__ bool allows(int row, int column) const { return ptfast::allows(values[row * columns + column], max_cost); }
};

// Check of the costs that a lane has seen of a problem.
template <typename T>
struct CostCheck {
  bool fits = true;   // the algorithm can work with them as they are
  bool valid = true;  // none is NaN or -inf

  __device__ __forceinline__ void see(T cost, T max_cost) {
    const T kept = cost <= max_cost ? cost : max_cost;
    fits &= cost == cost && kept >= -kLargestCost<T> && kept <= kLargestCost<T>;
    valid &= cost > -kInfinity<T>;
  }
};

}  // namespace ptfast
