#pragma once
#include <cstdint>
#include <type_traits>

namespace ptfast {

struct CropShape {
  int64_t frames, height, width;    // of the video
  int64_t tubes, length;            // m tubes of t boxes each
  int64_t crop_height, crop_width;  // of the output
};

// Type of the crops: float for bytes and float, double for double.
template <typename P>
using CropReal = std::conditional_t<std::is_same<P, double>::value, double, float>;

// P is uint8_t, float or double.
template <typename P>
struct CropInputs {
  const P* frames;             // [frames, height, width, 3], values of 0 .. 255
  const CropReal<P>* tubes;    // [m, t, 4] boxes x1, y1, x2, y2 in pixels; a pixel's centre is at integer coordinates
  const int64_t* frame_index;  // [m, t]
  CropShape shape;
  double mean[3], std[3];  // per channel, in units of 255
  bool unbiased;           // the corner pixels' centres, not the crop's edges, lie on the box's corners
};

// Cuts every box out of its frame, resizes it bilinearly, with zeros outside the frame, and normalises to
// (value / 255 - mean) / std. The box's centre comes to (crop_width / 2, crop_height / 2), its width to crop_width and
// its height to crop_height. If unbiased, all four lose a pixel: (crop_width - 1) / 2 and so on. A box that is empty or
// not finite, and a frame index outside [0, frames), give black: -mean / std.
// out: [m, 3, t, crop_height, crop_width]
template <typename P>
void crop_tubes_cpu(const CropInputs<P>& in, CropReal<P>* out);

// Crops in the order of the frames that they come from. Crop c is entry c = row * t + column of frame_index.
struct CropOrder {
  const int64_t* crops;    // [m * t], crops of frame f at [offsets[f], offsets[f + 1])
  const int64_t* offsets;  // [frames + 1]
};

// Gradient of sum(grad_out * out) with respect to the frames, whose values it does not read. One thread sums a pixel in
// the order of the crops, so the result does not depend on the number of threads. P is float or double.
// grad_out: [m, 3, t, crop_height, crop_width], grad_frames: [frames, height, width, 3]
template <typename P>
void crop_tubes_backward_cpu(const P* grad_out, const CropInputs<P>& in, const CropOrder& order, P* grad_frames);

// The same two on `device` and `stream` (a cudaStream_t). They return a cudaError_t as int.
template <typename P>
int crop_tubes_cuda(const CropInputs<P>& in, CropReal<P>* out, int device, void* stream);
template <typename P>
int crop_tubes_backward_cuda(const P* grad_out, const CropInputs<P>& in, const CropOrder& order, P* grad_frames,
                             int device, void* stream);

}  // namespace ptfast
