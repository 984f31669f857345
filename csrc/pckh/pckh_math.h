#pragma once
#include <cmath>

#include "common/host_device.h"

namespace ptfast {

// The square of the longest distance that is within reach, -1 where no distance is. NaN stays NaN.
template <typename T>
PTFAST_HD T pckh_limit(T threshold, T head_size) {
  const T limit = threshold * head_size;
  return limit < T(0) ? T(-1) : limit * limit;
}

// 1 where two joints at (dx, dy) pixels from each other are within the limit, else 0, and NaN where either is NaN. Two
// comparisons tell the three cases apart without a branch: only NaN fails both.
template <typename T>
PTFAST_HD T pckh_term(T dx, T dy, T limit) {
  const T squared = dx * dx + dy * dy;
  const T outside = squared > limit ? T(0) : T(NAN);
  return squared <= limit ? T(1) : outside;
}

// The share of `count` joints that are within reach; 0 where there are none.
template <typename T>
PTFAST_HD T pckh_share(T within, T count) {
  return count > T(0) ? within / count : T(0);
}

}  // namespace ptfast
