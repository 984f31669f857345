#pragma once
#include <cstdint>

namespace ptfast {

struct BoxesShape {
  int64_t batch, n, m;
};

// Intersection over union of every box of a with every box of b. A box is x1, y1, x2, y2 with width = x2 - x1. A side
// that is not positive makes the area 0, and a union of 0 makes the result 0. A NaN coordinate gives NaN. The bits
// depend on neither the instruction set nor the number of threads. T is float or double. Small work allocates nothing
// and stays on the calling thread.
// a: [batch, n, 4], b: [batch, m, 4], out: [batch, n, m]
template <typename T>
void iou_matrix_cpu(const T* a, const T* b, const BoxesShape& shape, T* out);

struct TubesShape {
  int64_t batch, n, m, t;
};

template <typename T>
struct TubeInputs {
  const T* a;              // [batch, n, t, 4]
  const T* b;              // [batch, m, t, 4]
  const uint8_t* a_valid;  // [batch, n, t], zero leaves a frame out, or null: all valid
  const uint8_t* b_valid;  // [batch, m, t], or null
  TubesShape shape;
};

// The mean over all t frames of the boxes' intersection over union. A frame that is invalid on either side counts 0,
// whatever its coordinates.
// out: [batch, n, m]
template <typename T>
void tube_iou_matrix_cpu(const TubeInputs<T>& in, T* out);

// The same two on `device` and `stream` (a cudaStream_t), with the same bits. They return a cudaError_t as int, so that
// callers need no CUDA headers.
template <typename T>
int iou_matrix_cuda(const T* a, const T* b, const BoxesShape& shape, T* out, int device, void* stream);
template <typename T>
int tube_iou_matrix_cuda(const TubeInputs<T>& in, T* out, int device, void* stream);

}  // namespace ptfast
