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

// Bilinear look-up. A point counts as inside where 0 <= x <= width - 1 and 0 <= y <= height - 1. Elsewhere, and where a
// coordinate is NaN, the value is 0.
// values: [n, 2], inside: [n], 1 or 0
template <typename T>
void sample_flow_cpu(const FlowInputs<T>& in, T* values, bool* inside);

// Gradients of sum(grad_values * values). That of the points is complete. That of the flow is left for the caller to
// sum: each point gives contributions to the four pixels around it, all 0 (and to pixel 0) for a point outside.
// grad_values: [n, 2], grad_points: [n, 2], pixels: [n, 4] as y * width + x, contributions: [n, 4, 2]
template <typename T>
void sample_flow_backward_cpu(const T* grad_values, const FlowInputs<T>& in, T* grad_points, int64_t* pixels,
                              T* contributions);

// The same two on `device` and `stream` (a cudaStream_t). They return a cudaError_t as int.
template <typename T>
int sample_flow_cuda(const FlowInputs<T>& in, T* values, bool* inside, int device, void* stream);
template <typename T>
int sample_flow_backward_cuda(const T* grad_values, const FlowInputs<T>& in, T* grad_points, int64_t* pixels,
                              T* contributions, int device, void* stream);

}  // namespace ptfast
