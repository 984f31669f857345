#pragma once
#include <cstdint>

namespace ptfast {

struct PckhShape {
  int64_t batch, n, m, k;
};

template <typename T>
struct PckhInputs {
  const T* a;                // [batch, n, k, 2] pixels
  const T* b;                // [batch, m, k, 2] pixels
  const T* head_sizes;       // [batch, m] pixels, b's
  const uint8_t* a_visible;  // [batch, n, k], zero hides a joint, or null: all visible
  const uint8_t* b_visible;  // [batch, m, k], or null
  PckhShape shape;
  T threshold;  // in head sizes
};

// For every pose of a and every pose of b, the share of the joints visible in both that lie within threshold times b's
// head size of each other, 0 where there are none. A distance equal to the limit is within. A NaN coordinate of a
// visible joint, or a NaN head size, gives NaN. The bits depend on neither the instruction set nor the number of
// threads. T is float or double. Small work allocates nothing and stays on the calling thread.
// out: [batch, n, m]
template <typename T>
void pckh_matrix_cpu(const PckhInputs<T>& in, T* out);

// The same bits, on `device` and `stream` (a cudaStream_t). Returns a cudaError_t as int, so that callers need no CUDA
// headers.
template <typename T>
int pckh_matrix_cuda(const PckhInputs<T>& in, T* out, int device, void* stream);

}  // namespace ptfast
