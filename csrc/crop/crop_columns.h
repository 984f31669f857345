#pragma once
#include <cstdint>
#include <vector>

#include "common/simd.h"
#include "crop/crop_math.h"

namespace ptfast {

// Taps of a crop's columns, the same in all its rows. A crop is not rotated, so the resampling is separable.
template <typename P>
struct CropColumns {
  using T = CropReal<P>;
  std::vector<int32_t> low, high;  // offsets in a row of the frame, in values
  std::vector<T> low_weight, high_weight;
  int64_t begin = 0, end = 0;  // the columns that reach into the frame

  PTFAST_INLINE void fill(const CropAxis& axis, int64_t count, int64_t width) {
    low.resize(count);
    high.resize(count);
    low_weight.resize(count);
    high_weight.resize(count);
    begin = 0;
    while (begin < count && !crop_reaches(axis.source(begin), width)) ++begin;
    for (end = begin; end < count && crop_reaches(axis.source(end), width); ++end) {
      const auto tap = CropTap<T>::at(axis.source(end), width);
      low[end] = static_cast<int32_t>(3 * tap.low);
      high[end] = static_cast<int32_t>(3 * tap.high);
      low_weight[end] = tap.low_weight;
      high_weight[end] = tap.high_weight;
    }
  }

  // Makes `low` name a pair of neighbours, which are read at once, and the weights those of the pair. Only a tap with a
  // pixel outside changes: its other pixel starts a pair on the frame's left edge, and ends one on the right.
  PTFAST_INLINE void pair_up() {
    for (int64_t i = begin; i < end; ++i) {
      if (low[i] != high[i]) continue;
      const T weight = low_weight[i] + high_weight[i];
      const bool ends = low[i] > 0;
      low[i] -= ends ? 3 : 0;
      low_weight[i] = ends ? T(0) : weight;
      high_weight[i] = ends ? weight : T(0);
    }
  }
};

}  // namespace ptfast
