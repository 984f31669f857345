#pragma once
#include <cstdint>

namespace ptfast {

constexpr int64_t kMaxLevels = 8;

// Strides in elements of a tensor with the axes batch, channel, frame, row and column.
struct VideoStrides {
  int64_t b, c, t, y, x;
};

// One feature map, or its gradient. S is float, double, Half or BFloat16.
template <typename S>
struct FeatureLevel {
  S* data;  // [b, c, t, height, width] by strides
  VideoStrides strides;
  int64_t height, width;
  double spatial_scale;  // feature pixels an image pixel
};

// One call. It reads the levels and writes the bins, and in the backward direction the other way round. T is float, or
// double where S is: boxes stay float for half-precision features.
template <typename S, typename T>
struct TubeRoiAlign {
  FeatureLevel<S> levels[kMaxLevels];
  S* bins;                     // [m, c, t, rows, columns] by strides
  VideoStrides bin_strides;    // b is the stride between tubes
  const T* tubes;              // [m, t, 4] xyxy in image pixels
  const int64_t* batch_index;  // [m]
  const int64_t* level;        // [m], or null: level 0
  int64_t level_count, m, batch, channels, frames, rows, columns;
  int64_t sampling_ratio;
  bool aligned;
};

// RoIAlign (He et al. 2017) of every frame of a tube by itself, averaging sampling_ratio^2 bilinear samples a bin
// (0: about a sample a pixel), as torchvision.ops.roi_align. A box that is not finite gives zeros. All batch indices
// and levels are in range. The bits depend on neither the number of threads nor the order of the tubes.
template <typename S, typename T>
void tube_roi_align_cpu(const TubeRoiAlign<S, T>& op);

// The gradient of sum(op.bins * result) with respect to the features, written to all of op.levels' elements.
template <typename S, typename T>
void tube_roi_align_backward_cpu(const TubeRoiAlign<S, T>& op);

// The same two on `device` and `stream` (a cudaStream_t). They return a cudaError_t as int. A tube whose batch index or
// level is out of range gives zeros. The backward direction is deterministic.
template <typename S, typename T>
int tube_roi_align_cuda(const TubeRoiAlign<S, T>& op, int device, void* stream);
template <typename S, typename T>
int tube_roi_align_backward_cuda(const TubeRoiAlign<S, T>& op, int device, void* stream);

}  // namespace ptfast
