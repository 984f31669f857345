#pragma once
#include <cstdint>

namespace ptfast {

struct OksShape {
  int64_t batch, n, m, k;
};

// Inputs of both directions. T is float or double.
template <typename T>
struct OksInputs {
  const T* a;                // [batch, n, k, 2] pixels
  const T* b;                // [batch, m, k, 2] pixels
  const T* area_a;           // [batch, n] square pixels, or null: then b's area alone counts, else the mean of both
  const T* area_b;           // [batch, m] square pixels
  const T* sigmas;           // [k]
  const uint8_t* a_visible;  // [batch, n, k], zero hides a joint, or null: all visible
  const uint8_t* b_visible;  // [batch, m, k], or null
  OksShape shape;
};

// Object keypoint similarity of every pose of a with every pose of b: the mean of exp(-d^2 / (2 (2 sigma)^2 area)) over
// the joints visible in both, 0 where there are none. Where the area is not positive, the result is 1 if all common
// joints coincide, else 0, and so is the term of a joint whose sigma is 0. A NaN coordinate of a visible joint gives
// NaN where the area is positive.
// out: [batch, n, m]
template <typename T>
void oks_matrix_cpu(const OksInputs<T>& in, T* out);

// Gradients of sum(grad_out * out) with respect to the coordinates, 0 where the area or a joint's sigma is 0 or so
// small that it counts as 0.
// grad_out: [batch, n, m], grad_a: [batch, n, k, 2], grad_b: [batch, m, k, 2]
template <typename T>
void oks_matrix_backward_cpu(const T* grad_out, const OksInputs<T>& in, T* grad_a, T* grad_b);

// The same two on `device` and `stream` (a cudaStream_t). They return a cudaError_t as int, so that callers need no
// CUDA headers.
template <typename T>
int oks_matrix_cuda(const OksInputs<T>& in, T* out, int device, void* stream);
template <typename T>
int oks_matrix_backward_cuda(const T* grad_out, const OksInputs<T>& in, T* grad_a, T* grad_b, int device, void* stream);

}  // namespace ptfast
