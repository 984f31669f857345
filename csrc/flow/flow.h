#pragma once
#include <cstdint>

namespace ptfast {

// T is float or double.
template <typename T>
struct FlowInputs {
  const T* flow;    // [height, width, 2] displacements (dx, dy) in pixels
  const T* points;  // [n, 2] as (x, y); a pixel's centre is at integer coordinates
  int64_t height, width, n;
};

// Bilinear look-up. A point counts as inside where 0 <= x <= width - 1 and 0 <= y <= height - 1; elsewhere, and where a
// coordinate is NaN, the value is 0.
// values: [n, 2], inside: [n], 1 or 0
template <typename T>
void sample_flow_cpu(const FlowInputs<T>& in, T* values, bool* inside);

// Gradients of sum(grad_values * values): that of the points, and what each point adds to that of the flow, for the
// caller to sum: contributions to the four pixels around it, all 0 (and to pixel 0) for a point outside.
// grad_values: [n, 2], grad_points: [n, 2], pixels: [n, 4] as y * width + x, contributions: [n, 4, 2]
template <typename T>
void sample_flow_backward_cpu(const FlowInputs<T>& in, const T* grad_values, T* grad_points, int64_t* pixels,
                              T* contributions);

// As above, on `device` and `stream` (a cudaStream_t). They return a cudaError_t as int.
template <typename T>
int sample_flow_cuda(const FlowInputs<T>& in, T* values, bool* inside, int device, void* stream);
template <typename T>
int sample_flow_backward_cuda(const FlowInputs<T>& in, const T* grad_values, T* grad_points, int64_t* pixels,
                              T* contributions, int device, void* stream);

}  // namespace ptfast
