#pragma once
#include <algorithm>
#include <cstdint>
#include <vector>

#include "common/simd.h"

namespace ptfast {

constexpr int64_t kColumns = 64;  // poses packed together, which stay in the first-level cache with 17 joints

// The indices of the joints that count, then -1. A list spares the loops over it a branch that no processor could
// foresee, and its end, unknown beforehand, keeps GCC from exchanging them with the loops over lanes inside.
// visible: [k] or null
PTFAST_INLINE void visible_joints(const uint8_t* visible, int64_t k, std::vector<int64_t>& joints) {
  joints.resize(k + 1);
  int64_t count = 0;
  for (int64_t i = 0; i < k; ++i) {
    joints[count] = i;
    count += visible == nullptr || visible[i] != 0;
  }
  joints[count] = -1;
}

// Up to kColumns poses, joint by joint, so that lanes run over poses. Joints that do not count have weight 0. Lanes
// past `width`, up to `padded`, keep old numbers, and their results are dropped.
template <typename T>
struct PackedPoses {
  std::vector<T> x, y, weight;  // [k, kColumns]; weight is set only where not all are visible
  int64_t width = 0, padded = 0;
  bool all_visible = true;

  // poses: [count, k, 2], visible: [count, k] or null
  PTFAST_INLINE void pack(const T* poses, const uint8_t* visible, int64_t count, int64_t k) {
    width = std::min(kColumns, count);
    padded = (width + kBlock - 1) / kBlock * kBlock;
    x.resize(k * kColumns);
    y.resize(k * kColumns);
    weight.resize(k * kColumns);
    all_visible = visible == nullptr || std::find(visible, visible + width * k, 0) == visible + width * k;
    for (int64_t i = 0; i < k; ++i) {
      T *column_x = &x[i * kColumns], *column_y = &y[i * kColumns], *column_weight = &weight[i * kColumns];
      for (int64_t j = 0; j < width; ++j) {
        column_x[j] = poses[(j * k + i) * 2];
        column_y[j] = poses[(j * k + i) * 2 + 1];
      }
      if (all_visible) continue;
      for (int64_t j = 0; j < width; ++j) column_weight[j] = T(visible[j * k + i] != 0);
    }
  }
};

}  // namespace ptfast
