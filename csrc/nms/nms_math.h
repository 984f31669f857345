#pragma once
#include "common/exp.h"
#include "oks/oks_math.h"

namespace ptfast {

// The factor of soft_nms_weight for a threshold: -log2(e) / threshold.
template <typename T>
PTFAST_HD T soft_nms_factor(T threshold) {
  return T(-1.44269504088896340736) / threshold;
}

// Factor of a score in soft suppression: exp(-overlap^2 / threshold), at least exp(-80).
template <typename T>
PTFAST_HD T soft_nms_weight(T overlap, T factor) {
  const T t = overlap * overlap * factor;
  return exp2_unit(t < T(kOksFloor) ? T(kOksFloor) : t);
}

}  // namespace ptfast
