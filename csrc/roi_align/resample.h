#pragma once
#include "common/memory.h"
#include "roi_align/taps.h"

namespace ptfast {

// Pixels, or a RoI's bins, with channels innermost. T is float or double, const or not.
template <typename T>
struct Plane {
  T* data;             // [height, width, channels] by strides
  int64_t row, pixel;  // strides in elements
};

enum class Store {
  kPlain,      // to = ...
  kStreaming,  // the same past the caches, for results far larger than those
  kAdd,        // to += ...
};

// to = Wy from Wx^T for `channels` channels, along the axis first that makes it less work. Pooling goes from features
// to bins. Its gradient, with the transposed taps and kAdd, goes from bins to features.
template <typename T>
void resample(const Plane<const T>& from, const RoiTaps<T>& taps, int64_t channels, const Plane<T>& to, Store store,
              AlignedBuffer<T>& scratch);

}  // namespace ptfast
