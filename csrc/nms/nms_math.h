#pragma once
#include "common/exp.h"
#include "oks/oks_math.h"

namespace ptfast {

// What soft_nms_weight takes for a threshold.
template <typename T>
PTFAST_HD T soft_nms_factor(T threshold) {
  return T(-1.44269504088896340736) / threshold;
}

// What soft suppression multiplies a score by: exp(-overlap^2 / threshold), not below exp(-80).
template <typename T>
PTFAST_HD T soft_nms_weight(T overlap, T factor) {
  const T t = overlap * overlap * factor;
  return exp2_unit(t < T(kOksFloor) ? T(kOksFloor) : t);
}

}  // namespace ptfast
