#pragma once
#include <vector>

#include "roi_align/roi_align_math.h"

namespace ptfast {

// Resampling of one axis: target i, at pixel targets[i], is the weighted sum of the sources at the places
// taps[first[i]] to taps[first[i + 1]], where place k is pixel sources[k]. Places appear about in ascending order.
template <typename T>
struct AxisTaps {
  std::vector<Tap<T>> taps;
  std::vector<int64_t> first;  // [targets + 1]
  std::vector<int64_t> sources, targets;

  int64_t size() const { return static_cast<int64_t>(targets.size()); }
};

template <typename T>
struct RoiTaps {
  AxisTaps<T> y, x;
};

// Everything that a RoI's taps depend on besides its box.
struct RoiGrid {
  int64_t height, width;  // of the feature map
  int64_t rows, columns;  // of the output
  int64_t sampling_ratio;
  double spatial_scale;
  bool aligned;
};

// From feature pixels to bins. box: [4] xyxy
template <typename T>
void find_taps(const T* box, const RoiGrid& grid, RoiTaps<T>& taps);

// From targets back to sources: the transposed weights.
template <typename T>
void transpose_taps(const RoiTaps<T>& taps, RoiTaps<T>& transposed);

}  // namespace ptfast
