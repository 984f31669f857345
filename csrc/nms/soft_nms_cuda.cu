#include <cmath>
#include <cstdint>

#include "common/cuda.h"
#include "common/warp.h"
#include "nms/nms.h"
#include "nms/nms_math.h"

namespace ptfast {
namespace {

constexpr int kThreads = 1024, kWarps = kThreads / kWarp;

// A pose and its score. Of equal scores the lower index is better. NaN marks a pose that is taken and is never better.
template <typename T>
struct Candidate {
  T score;
  int64_t index;

  __device__ void improve(T other_score, int64_t other) {
    if (!(other_score > score || (other_score == score && other < index))) return;
    score = other_score;
    index = other;
  }

  // The best of the warp's, in every lane.
  __device__ void improve_by_warp() {
    for (int step = kWarp / 2; step > 0; step /= 2)
      improve(__shfl_xor_sync(kWholeWarp, score, step),
              __shfl_xor_sync(kWholeWarp, static_cast<long long>(index), step));
  }
};

// OKS of two poses. factors: [k] from oks_factor
template <typename T>
__device__ T oks(const PoseNmsInputs<T>& in, const T* factors, int64_t i, int64_t j) {
  const T *a = in.keypoints + i * in.k * 2, *b = in.keypoints + j * in.k * 2;
  const T area = oks_mean_area(in.areas[i], in.areas[j]), inverse = T(1) / oks_area(area);
  T sum = T(0);
  for (int64_t k = 0; k < in.k; ++k)
    sum += oks_term(a[2 * k] - b[2 * k], a[2 * k + 1] - b[2 * k + 1], factors[k] * inverse);
  return oks_mean(sum, T(in.k), area);
}

// One block takes `count` poses, one after the other: each depends on all scores after the one before, and a barrier of
// a block is cheaper than a launch. Each thread lowers the scores of its own poses and finds the best of them on the
// way. Then warps reduce their lanes' candidates, and every warp the warps'. The second barrier keeps the next step's
// candidates out until all warps have read this step's.
template <typename T>
__global__ void __launch_bounds__(kThreads, 1) soft_kernel(PoseNmsInputs<T> in, int64_t count,
                                                           T* __restrict__ left,        // [n] scores, which fall
                                                           int64_t* __restrict__ kept,  // [count]
                                                           T* __restrict__ rescored) {  // [count]
  PTFAST_DYNAMIC_SHARED(T, factors);                                                    // [k]
  __shared__ T warp_scores[kWarps];
  __shared__ int64_t warp_indices[kWarps];
  const int thread = static_cast<int>(threadIdx.x), lane = thread % kWarp;
  const T factor = soft_nms_factor(in.threshold);
  constexpr Candidate<T> kNone{T(-INFINITY), INT64_MAX};
  for (int64_t k = thread; k < in.k; k += kThreads) factors[k] = oks_factor(in.sigmas[k]);
  __syncthreads();
  int64_t head = -1;
  for (int64_t step = 0; step < count; ++step) {
    Candidate<T> best = kNone;
    for (int64_t i = thread; i < in.n; i += kThreads) {
      T score = left[i];
      if (i == head) score = T(NAN);
      if (head >= 0 && i != head) {
        const T overlap = oks(in, factors, head, i);
        if (overlap > T(0)) score *= soft_nms_weight(overlap, factor);  // not where it is NaN
      }
      left[i] = score;
      best.improve(score, i);
    }
    best.improve_by_warp();
    if (lane == 0) {
      warp_scores[thread / kWarp] = best.score;
      warp_indices[thread / kWarp] = best.index;
    }
    __syncthreads();
    best = {warp_scores[lane], warp_indices[lane]};
    best.improve_by_warp();
    head = best.index;
    if (thread == 0) {
      kept[step] = head;
      rescored[step] = best.score;
    }
    __syncthreads();
  }
}

}  // namespace

template <typename T>
int soft_oks_nms_cuda(const PoseNmsInputs<T>& in, int64_t count, T* left, int64_t* kept, T* rescored, int device,
                      void* stream) {
  if (count == 0) return cudaSuccess;
  DeviceGuard guard(device);
  if (guard.status() != cudaSuccess) return guard.status();
  return launch(soft_kernel<T>, 1, kThreads, in.k * sizeof(T), stream, in, count, left, kept, rescored);
}

template int soft_oks_nms_cuda(const PoseNmsInputs<float>&, int64_t, float*, int64_t*, float*, int, void*);
template int soft_oks_nms_cuda(const PoseNmsInputs<double>&, int64_t, double*, int64_t*, double*, int, void*);

}  // namespace ptfast
