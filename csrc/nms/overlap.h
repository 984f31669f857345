#pragma once
#include <algorithm>
#include <utility>
#include <vector>

#include "boxes/boxes_math.h"
#include "common/simd.h"
#include "nms/item_columns.h"
#include "nms/nms.h"
#include "oks/oks_math.h"

namespace ptfast {

// Both kinds of overlap share one form: `items` holds the numbers of each item, block() compares one item with kBlock
// others, and terms() is the work of a comparison.

// Rows of items: x1, y1, x2, y2 and area of frame 0, of frame 1 ...
template <typename T>
struct TubeOverlap {
  ItemColumns<T> items;
  int64_t t;

  TubeOverlap(const TubeNmsInputs<T>& in, std::vector<int64_t> order) : items(5 * in.t, std::move(order)), t(in.t) {
    for (int64_t j = 0; j < items.size; ++j)
      for (int64_t f = 0; f < t; ++f) {
        const T* p = in.tubes + (items.index[j] * t + f) * 4;
        const Box<T> box = Box<T>::from(p[0], p[1], p[2], p[3]);
        const T numbers[] = {box.x1, box.y1, box.x2, box.y2, box.area};
        for (int64_t r = 0; r < 5; ++r) items.row(5 * f + r)[j] = numbers[r];
      }
  }

  int64_t terms() const { return 2 * t; }

  // out[j] = mean IoU of item i and item first + j
  PTFAST_INLINE void block(int64_t i, int64_t first, T* __restrict__ out) const {
    T sum[kBlock] = {};
    for (int64_t f = 0; f < t; ++f) {
      const T *x1 = items.row(5 * f), *y1 = x1 + items.stride, *x2 = y1 + items.stride, *y2 = x2 + items.stride,
              *area = y2 + items.stride;
      const Box<T> own{x1[i], y1[i], x2[i], y2[i], area[i]};
      PTFAST_LANES
      for (int64_t j = 0; j < kBlock; ++j) {
        const int64_t c = first + j;
        sum[j] += box_iou(own, Box<T>{x1[c], y1[c], x2[c], y2[c], area[c]});
      }
    }
    PTFAST_LANES
    for (int64_t j = 0; j < kBlock; ++j) out[j] = t == 1 ? sum[j] : sum[j] / T(t);
  }
};

// Rows of items: x and y of joint 0, of joint 1 ..., then the area.
template <typename T>
struct PoseOverlap {
  ItemColumns<T> items;
  int64_t k;
  std::vector<T> factors;  // [k]

  PoseOverlap(const PoseNmsInputs<T>& in, std::vector<int64_t> order)
      : items(2 * in.k + 1, std::move(order)), k(in.k), factors(in.k) {
    std::transform(in.sigmas, in.sigmas + k, factors.begin(), [](T sigma) { return oks_factor(sigma); });
    for (int64_t j = 0; j < items.size; ++j) {
      const T* pose = in.keypoints + items.index[j] * k * 2;
      for (int64_t r = 0; r < 2 * k; ++r) items.row(r)[j] = pose[r];
      items.row(2 * k)[j] = in.areas[items.index[j]];
    }
  }

  int64_t terms() const { return k; }

  // out[j] = OKS of item i and item first + j
  PTFAST_INLINE void block(int64_t i, int64_t first, T* __restrict__ out) const {
    T sum[kBlock] = {}, area[kBlock], inverse[kBlock];
    const T* areas = items.row(2 * k);
    PTFAST_LANES
    for (int64_t j = 0; j < kBlock; ++j) {
      area[j] = oks_mean_area(areas[i], areas[first + j]);
      inverse[j] = T(1) / oks_area(area[j]);
    }
    for (int64_t joint = 0; joint < k; ++joint) {
      const T *x = items.row(2 * joint), *y = x + items.stride, factor = factors[joint];
      PTFAST_LANES
      for (int64_t j = 0; j < kBlock; ++j)
        sum[j] += oks_term(x[i] - x[first + j], y[i] - y[first + j], factor * inverse[j]);
    }
    PTFAST_LANES
    for (int64_t j = 0; j < kBlock; ++j) out[j] = oks_mean(sum[j], T(k), area[j]);
  }
};

}  // namespace ptfast
