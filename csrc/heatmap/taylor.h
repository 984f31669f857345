#pragma once
#include <algorithm>
#include <vector>

#include "common/simd.h"
#include "heatmap/heatmap_math.h"

namespace ptfast {

// Sums over the rows around y, weighted by the Gaussian, of columns [first, first + n), with zeros outside the map.
// map: [height, width], sums: [n]
template <typename T>
PTFAST_INLINE void blur_columns(const T* map, int64_t height, int64_t width, int64_t y, int64_t first, int64_t n,
                                const Gaussian& blur, double* sums) {
  std::fill_n(sums, n, 0.0);
  const int64_t begin = std::max<int64_t>(0, -first), end = std::min(n, width - first);
  for (int64_t t = 0; t <= 2 * blur.radius; ++t) {
    const int64_t row = y + t - blur.radius;
    if (row < 0 || row >= height) continue;
    const T* values = map + row * width + first;
    const double weight = blur.weights[t];
    for (int64_t i = begin; i < end; ++i) sums[i] += weight * double(widen(values[i]));
  }
}

// The highest value of the blurred map, NaN aside. The Gaussian is separable: columns are summed first, then the row.
// map: [height, width]
template <typename T>
PTFAST_INLINE double highest_blurred(const T* map, int64_t height, int64_t width, const Gaussian& blur) {
  static thread_local std::vector<double> scratch;
  const int64_t padded = width + 2 * blur.radius;
  scratch.resize(padded + width);
  double *columns = scratch.data(), *row = columns + padded;
  double best = kLowest<double>;
  for (int64_t y = 0; y < height; ++y) {
    blur_columns(map, height, width, y, -blur.radius, padded, blur, columns);
    std::fill_n(row, width, 0.0);
    for (int64_t t = 0; t <= 2 * blur.radius; ++t)
      for (int64_t x = 0; x < width; ++x) row[x] += blur.weights[t] * columns[x + t];
    for (int64_t x = 0; x < width; ++x) best = row[x] > best ? row[x] : best;
  }
  return best;
}

// The refinement of a peak at (x, y), which lies inside by inside_for_taylor, in pixels. Only the stencil's pixels are
// blurred, and the whole map where the floor of the logarithm comes into play.
// map: [height, width], score: the peak's value
template <typename T>
PTFAST_INLINE Offset taylor_of_map(const T* map, int64_t height, int64_t width, int64_t x, int64_t y, double score,
                                   const Gaussian& blur) {
  double columns[kMaxBlur + 4], near[kNear];
  bool floored = false;
  for (int i = 0; i < kNear; ++i) {
    if (i % 5 == 0)
      blur_columns(map, height, width, y + i / 5 - 2, x - 2 - blur.radius, 2 * blur.radius + 5, blur, columns);
    near[i] = 0;
    if (!in_stencil(i)) continue;
    for (int t = 0; t <= 2 * blur.radius; ++t) near[i] += blur.weights[t] * columns[i % 5 + t];
    floored |= needs_scale(near[i]);
  }
  const double scale = floored ? score / highest_blurred(map, height, width, blur) : 1.0;
  for (double& value : near) value = log_scaled(value, scale);
  return taylor_offset(near);
}

}  // namespace ptfast
