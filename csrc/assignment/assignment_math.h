#pragma once
#include <cstdint>
#include <limits>

#include "common/host_device.h"

namespace ptfast {

template <typename T>
constexpr T kInfinity = std::numeric_limits<T>::infinity();

// Sums of 2^24 costs of this size stay finite.
template <typename T>
constexpr T kLargestCost = std::numeric_limits<T>::max() / (1 << 24);

// True where a pair at this cost may be made.
template <typename T>
PTFAST_HD bool allows(T cost, T max_cost) {
  return cost <= max_cost && cost < kInfinity<T>;
}

// Substitutes for costs that hold infinities or come near overflow: numbers whose sums stay finite.
struct ModerateScale {
  double factor;     // of the costs of allowed pairs
  double forbidden;  // cost of every other pair
};

// Without a finite max_cost, a forbidden pair costs more than all others together could save.
// magnitude: the largest of an allowed pair's cost, rows: at most as many as columns
PTFAST_HD ModerateScale moderate_scale(double magnitude, double max_cost, int64_t rows) {
  const double size = max_cost < 0 ? -max_cost : max_cost;
  const bool limited = size < kInfinity<double>;
  const double factor = magnitude > 0x1p900 || (limited && size > 0x1p900) ? 0x1p-200 : 1.0;
  const double beyond = magnitude > 0 ? 4.0 * static_cast<double>(rows + 1) * (magnitude * factor) : 1.0;
  return {factor, limited ? max_cost * factor : beyond};
}

// True where the cost keeps its value among moderate numbers. A pair at -inf cannot be weighed against others.
template <typename T>
PTFAST_HD bool is_moderate(T cost, T max_cost) {
  return (cost <= max_cost) & (cost < kInfinity<T>)&(cost > -kInfinity<T>);
}

}  // namespace ptfast
