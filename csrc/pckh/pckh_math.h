#pragma once
#include <limits>

#include "common/host_device.h"

namespace ptfast {

// The square of the longest distance that is within reach; below 0 where no distance is. NaN stays NaN.
template <typename T>
PTFAST_HD T pckh_limit(T threshold, T head_size) {
  const T limit = threshold * head_size;
  return limit < T(0) ? T(-1) : limit * limit;
}

// 1 where two joints at (dx, dy) pixels from each other are within the limit, else 0; NaN where either is NaN.
template <typename T>
PTFAST_HD T pckh_term(T dx, T dy, T limit) {
  const T squared = dx * dx + dy * dy;
  const T outside = squared > limit ? T(0) : std::numeric_limits<T>::quiet_NaN();
  return squared <= limit ? T(1) : outside;
}

}  // namespace ptfast
