#pragma once
#include "common/cuda.h"
#include "roi_align/roi_align.h"
#include "roi_align/roi_align_math.h"

namespace ptfast {

// The taps of one axis in a block's shared memory: bin p has count[p] of them from first[p] on.
template <typename T>
struct SharedTaps {
  int* first;    // [bins]
  int* count;    // [bins]
  Tap<T>* taps;  // [max_axis_taps]
};

template <typename T>
__host__ __device__ size_t shared_taps_bytes(int64_t bins, int64_t max_taps) {
  return 2 * bins * sizeof(int) + max_taps * sizeof(Tap<T>) + 16;  // 16 align the array after it
}

// Takes an axis's arrays from a block's shared memory and moves `memory` past them.
template <typename T>
__device__ SharedTaps<T> place_taps(unsigned char*& memory, int64_t bins, int64_t max_taps) {
  SharedTaps<T> out;
  out.taps = reinterpret_cast<Tap<T>*>(memory);
  out.first = reinterpret_cast<int*>(out.taps + max_taps);
  out.count = out.first + bins;
  memory += (shared_taps_bytes<T>(bins, max_taps) - 1) / 16 * 16;
  return out;
}

// Fills in an axis by the threads [begin, begin + bins) of the block. Where a bin's taps have no small bound of their
// own, bins cannot be placed before their predecessors are known, so thread `begin` does it alone. An empty axis, of a
// tube that lies nowhere, has no taps.
template <typename T>
__device__ void build_taps(const RoiAxis<T>& axis, int64_t bins, int64_t size, int64_t sampling_ratio, int begin,
                           const SharedTaps<T>& out) {
  const int thread = static_cast<int>(threadIdx.x) - begin, threads = static_cast<int>(blockDim.x) - begin;
  if (thread < 0) return;
  if (sampling_ratio > 0) {
    for (int64_t p = thread; p < bins; p += threads) {
      out.first[p] = static_cast<int>(p * max_taps(size, sampling_ratio));
      out.count[p] = axis.samples > 0 ? static_cast<int>(bin_taps(axis, p, size, out.taps + out.first[p])) : 0;
    }
  } else if (thread == 0) {
    int next = 0;
    for (int64_t p = 0; p < bins; ++p) {
      out.first[p] = next;
      out.count[p] = axis.samples > 0 ? static_cast<int>(bin_taps(axis, p, size, out.taps + next)) : 0;
      next += out.count[p];
    }
  }
}

}  // namespace ptfast
