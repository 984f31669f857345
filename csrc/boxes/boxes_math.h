#pragma once
#include "common/host_device.h"

namespace ptfast {

// max(0, x). NaN stays NaN, as the comparison is false for it.
template <typename T>
PTFAST_HD T positive_part(T x) {
  return T(0) > x ? T(0) : x;
}

// A box (x1, y1, x2, y2) with its area: width = x2 - x1, 0 where a side is not positive, NaN where a coordinate is.
template <typename T>
struct Box {
  T x1, y1, x2, y2, area;

  PTFAST_HD static Box from(T x1, T y1, T x2, T y2) {
    return {x1, y1, x2, y2, positive_part(x2 - x1) * positive_part(y2 - y1)};
  }
};

// Intersection over union, 0 where the union is empty. A NaN reaches the result through its box's area.
template <typename T>
PTFAST_HD T box_iou(const Box<T>& a, const Box<T>& b) {
  const T width = (a.x2 < b.x2 ? a.x2 : b.x2) - (a.x1 > b.x1 ? a.x1 : b.x1);
  const T height = (a.y2 < b.y2 ? a.y2 : b.y2) - (a.y1 > b.y1 ? a.y1 : b.y1);
  const T common = positive_part(width) * positive_part(height);
  const T total = a.area + b.area - common;
  return total == T(0) ? T(0) : common / total;
}

}  // namespace ptfast
