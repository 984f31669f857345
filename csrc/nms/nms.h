#pragma once
#include <cstdint>

namespace ptfast {

// Greedy non-maximum suppression: by descending score, lower index first among equals, an item is kept unless it
// overlaps one kept before by more than the threshold. All numbers are finite. The result, the number of kept items,
// and kept depend on neither the instruction set nor the number of threads. T is float or double.
// kept: [n], the kept indices in that order, then -1

template <typename T>
struct TubeNmsInputs {
  const T* tubes;   // [n, t, 4] x1, y1, x2, y2
  const T* scores;  // [n]
  int64_t n, t;
  T threshold;
};

// Overlap: the mean over t frames of the intersection over union (csrc/boxes). A box is a tube of one frame.
template <typename T>
int64_t tube_nms_cpu(const TubeNmsInputs<T>& in, int64_t* kept);

template <typename T>
struct PoseNmsInputs {
  const T* keypoints;  // [n, k, 2] pixels
  const T* scores;     // [n]
  const T* areas;      // [n] square pixels
  const T* sigmas;     // [k]
  int64_t n, k;
  T threshold;
};

// Overlap: OKS over all joints with the mean of both areas (csrc/oks).
template <typename T>
int64_t oks_nms_cpu(const PoseNmsInputs<T>& in, int64_t* kept);

// Takes the highest score, lower index first among equals, multiplies every other by exp(-oks^2 / threshold), and goes
// on until `count` of the n poses are taken.
// kept: [count] indices in the order taken, rescored: [count] their scores at that time
template <typename T>
void soft_oks_nms_cpu(const PoseNmsInputs<T>& in, int64_t count, int64_t* kept, T* rescored);

// The same two on `device` and `stream` (a cudaStream_t). They return a cudaError_t as int, so that callers need no
// CUDA headers. Here numbers need not be finite: an overlap that is NaN suppresses nothing.
// order: [n] the indices by descending score, lower index first among equals
// mask: [n, ceil(n / 64)], work space
// kept: [n] as above
// status: [2], the number of kept items, and 1 where all numbers are finite, else 0
template <typename T>
int tube_nms_cuda(const TubeNmsInputs<T>& in, const int64_t* order, uint64_t* mask, int64_t* kept, int64_t* status,
                  int device, void* stream);
template <typename T>
int oks_nms_cuda(const PoseNmsInputs<T>& in, const int64_t* order, uint64_t* mask, int64_t* kept, int64_t* status,
                 int device, void* stream);

// soft_oks_nms_cpu on `device` and `stream`, for up to 6144 joints.
// left: [n] a copy of the scores, none of them NaN, which is overwritten
template <typename T>
int soft_oks_nms_cuda(const PoseNmsInputs<T>& in, int64_t count, T* left, int64_t* kept, T* rescored, int device,
                      void* stream);

}  // namespace ptfast
