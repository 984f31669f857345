#pragma once
#include <cstdint>

#include "common/half.h"

namespace ptfast {

enum class Refinement : int { kNone, kQuarter, kTaylor };

constexpr int64_t kMaxJoints = 512;  // of maps that are averaged with those of the mirrored image
constexpr int kMaxBlur = 31;         // odd sizes of the Gaussian up to this one

// Coordinates and scores of maps of T: float for halves, else T.
template <typename T>
using PeakReal = decltype(widen(T{}));

// T is float, double, Half or BFloat16.
template <typename T>
struct HeatmapInputs {
  const T* heatmaps;        // [maps, height, width]
  const T* flipped;         // [maps, height, width] of the mirrored images, or null: heatmaps count as they are
  const int16_t* partners;  // [joints] on the host, the joint that each becomes in the mirrored image
  int64_t maps, height, width;
  int64_t joints;  // at most kMaxJoints where there are flipped maps; joint m % joints owns map m
  bool shift;      // the mirrored maps, turned back, move one column to the right
};

// The highest value of every map and its place, the first one where several are equal. NaN is never a peak, and a map
// of nothing else has the score NaN at (0, 0). Where the score is positive, the place is refined:
//   kQuarter  by a quarter of a pixel towards the higher neighbour on each axis, in 2 <= x <= width - 2 (and y alike);
//   kTaylor   to the maximum of a second-order expansion of the blurred map's logarithm, in 2 <= x <= width - 3; the
//             Gaussian has blur_kernel taps, odd and at most kMaxBlur. Offsets that are not finite are left out.
// With flipped maps, the average that flip_average gives is decoded.
// coordinates: [maps, 2] as (x, y), scores: [maps]
template <typename T>
void heatmap_peaks_cpu(const HeatmapInputs<T>& in, Refinement refine, int blur_kernel, PeakReal<T>* coordinates,
                       PeakReal<T>* scores);

// Mean of every map and its partner's in the mirrored image, turned back. out: [maps, height, width]
template <typename T>
void flip_average_cpu(const HeatmapInputs<T>& in, T* out);

// The same two on `device` and `stream` (a cudaStream_t). They return a cudaError_t as int, so that callers need no
// CUDA headers.
template <typename T>
int heatmap_peaks_cuda(const HeatmapInputs<T>& in, Refinement refine, int blur_kernel, PeakReal<T>* coordinates,
                       PeakReal<T>* scores, int device, void* stream);
template <typename T>
int flip_average_cuda(const HeatmapInputs<T>& in, T* out, int device, void* stream);

}  // namespace ptfast
