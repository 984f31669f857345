#pragma once
// The refinement of DARK by one warp.

#include "common/warp.h"
#include "heatmap/heatmap_math.h"

namespace ptfast {

constexpr int kWide = kMaxBlur + 4;        // columns that five blurred ones read
constexpr int kTaylorScratch = 5 * kWide;  // doubles

// Sum over the rows around y, weighted by the Gaussian, of column x, with zeros outside the map.
template <typename Map>
__device__ double blur_column(const Map& map, int64_t x, int64_t y, const Gaussian& blur) {
  if (x < 0 || x >= map.width) return 0;
  double sum = 0;
  for (int t = 0; t <= 2 * blur.radius; ++t) {
    const int64_t row = y + t - blur.radius;
    if (row >= 0 && row < map.height) sum += blur.weights[t] * double(widen(map.at(x, row)));
  }
  return sum;
}

// The highest value of the blurred map, NaN aside, in tiles of a row: lanes sum columns into scratch, then read their
// neighbours' sums. The second barrier keeps the next tile's sums out until all lanes have read.
// scratch: [kTaylorScratch] of the warp
template <typename Map>
__device__ double highest_blurred(const Map& map, const Gaussian& blur, double* scratch) {
  constexpr int kTile = 4 * kWarp;
  static_assert(kTile + kMaxBlur - 1 <= kTaylorScratch, "a tile and its borders must fit");
  const int lane = threadIdx.x % kWarp, border = 2 * blur.radius;
  double best = kLowest<double>;
  for (int64_t y = 0; y < map.height; ++y) {
    for (int64_t first = 0; first < map.width; first += kTile) {
      const int n = static_cast<int>(map.width - first < kTile ? map.width - first : kTile);
      for (int i = lane; i < n + border; i += kWarp) scratch[i] = blur_column(map, first - blur.radius + i, y, blur);
      __syncwarp();
      for (int i = lane; i < n; i += kWarp) {
        double sum = 0;
        for (int t = 0; t <= border; ++t) sum += blur.weights[t] * scratch[i + t];
        best = sum > best ? sum : best;
      }
      __syncwarp();
    }
  }
  for (int step = kWarp / 2; step > 0; step /= 2) {
    const double other = __shfl_xor_sync(kWholeWarp, best, step);
    best = other > best ? other : best;
  }
  return best;
}

// The refinement of taylor.h by one warp: lanes share the five rows' column sums through scratch, then each of the
// first kNear lanes blurs one pixel of the stencil. All lanes call it with the same arguments and get the same result.
template <typename Map>
__device__ Offset taylor_of_map(const Map& map, int64_t x, int64_t y, double score, const Gaussian& blur,
                                double* scratch) {
  const int lane = threadIdx.x % kWarp, wide = 2 * blur.radius + 5;
  for (int i = lane; i < 5 * wide; i += kWarp)
    scratch[i] = blur_column(map, x - 2 - blur.radius + i % wide, y - 2 + i / wide, blur);
  __syncwarp();
  const bool read = lane < kNear && in_stencil(lane);
  double near = 0;
  for (int t = 0; read && t <= 2 * blur.radius; ++t) near += blur.weights[t] * scratch[lane / 5 * wide + lane % 5 + t];
  const bool floored = __any_sync(kWholeWarp, read && needs_scale(near));
  __syncwarp();
  const double scale = floored ? score / highest_blurred(map, blur, scratch) : 1.0;
  if (lane < kNear) scratch[lane] = log_scaled(near, scale);
  __syncwarp();
  const Offset offset = taylor_offset(scratch);
  __syncwarp();
  return offset;
}

}  // namespace ptfast
