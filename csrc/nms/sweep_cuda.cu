#include "common/cuda.h"
#include "common/warp.h"
#include "nms/sweep.h"

namespace ptfast {
namespace {

constexpr int kThreads = 1024, kWarps = kThreads / kWarp;

// The kept ones of 64 items, for a whole warp. An item is decided once all earlier ones that overlap it are, so each
// round decides all items that wait for nothing and strikes out those that overlap them. There are as many rounds as
// the longest chain of overlaps has links, instead of a step for each item.
// open: those that no earlier block strikes out
// before: for items `lane` and `lane + 32`, the earlier ones that overlap them
__device__ uint64_t settle(uint64_t open, const uint64_t (&before)[2], int lane) {
  uint64_t kept = 0;
  while (open != 0) {
    uint64_t sure = 0, dead = 0;
    for (int h = 0; h < 2; ++h) {
      const bool free = (open >> (lane + 32 * h) & 1u) != 0 && (before[h] & open) == 0;
      sure |= static_cast<uint64_t>(__ballot_sync(kWholeWarp, free)) << 32 * h;
    }
    for (int h = 0; h < 2; ++h)
      dead |= static_cast<uint64_t>(__ballot_sync(kWholeWarp, (before[h] & sure) != 0)) << 32 * h;
    kept |= sure;
    open &= ~(sure | dead);
  }
  return kept;
}

// The two items of a block of 64 that a lane of the first warp settles, `lane` and `lane + 32`.
struct Own {
  uint64_t words[2];  // about the block itself, 0 where there is no such item
  int64_t indices[2];

  __device__ void load(const uint64_t* mask, const int64_t* order, int64_t n, int64_t words_a_row, int64_t block) {
    for (int h = 0; h < 2; ++h) {
      const int64_t item = block * kWord + threadIdx.x + 32 * h;
      words[h] = item < n ? mask[item * words_a_row + block] : 0;
      indices[h] = item < n ? order[item] : -1;
    }
  }
};

// One block goes through the mask, 64 items at a time: the first warp settles them, then all warps strike out what the
// kept ones overlap. The first barrier makes the settled word known to all warps, the second waits until they have
// struck out what the next 64 must know.
__global__ void __launch_bounds__(kThreads, 1) sweep_kernel(const uint64_t* __restrict__ mask,  // [n, words]
                                                            const int64_t* __restrict__ order,  // [n]
                                                            int64_t n, int64_t words,
                                                            int64_t* __restrict__ kept,      // [n]
                                                            int64_t* __restrict__ status) {  // [2]
  PTFAST_DYNAMIC_SHARED(unsigned long long, struck);  // [words], a bit for each item
  __shared__ unsigned long long settled;              // the items of this block that are kept
  const int thread = static_cast<int>(threadIdx.x), lane = thread % kWarp, warp = thread / kWarp;
  for (int64_t w = thread; w < words; w += kThreads) struck[w] = 0;
  int64_t total = 0;
  uint64_t unsound = 0;
  Own own;
  if (warp == 0) own.load(mask, order, n, words, 0);
  __syncthreads();
  for (int64_t block = 0; block < words; ++block) {
    const int64_t first = block * kWord;
    if (warp == 0) {
      const uint64_t all = n - first < kWord ? (uint64_t{1} << (n - first)) - 1 : ~uint64_t{0};
      const uint64_t bits[2] = {uint64_t{1} << lane, uint64_t{1} << (lane + 32)};
      const uint64_t before[2] = {own.words[0] & (bits[0] - 1), own.words[1] & (bits[1] - 1)};
      unsound |= (own.words[0] & bits[0]) | (own.words[1] & bits[1]);
      const uint64_t word = settle(all & ~struck[block], before, lane);
      for (int h = 0; h < 2; ++h)
        if ((word & bits[h]) != 0) kept[total + __popcll(word & (bits[h] - 1))] = own.indices[h];
      if (lane == 0) settled = word;
      own.load(mask, order, n, words, block + 1);  // comes while the kept ones' words do
    }
    __syncthreads();
    const uint64_t heads = settled;
    for (int item = warp; item < kWord; item += kWarps) {
      if ((heads >> item & 1u) == 0) continue;
      const uint64_t* row = mask + (first + item) * words;
      for (int64_t w = block + 1 + lane; w < words; w += kWarp)
        if (row[w] != 0) atomicOr(struck + w, row[w]);
    }
    total += __popcll(heads);
    __syncthreads();
  }
  for (int64_t i = total + thread; i < n; i += kThreads) kept[i] = -1;
  if (warp > 0) return;
  const bool sound = __all_sync(kWholeWarp, unsound == 0);
  if (lane == 0) {
    status[0] = total;
    status[1] = sound;
  }
}

}  // namespace

cudaError_t sweep_mask(const uint64_t* mask, const int64_t* order, int64_t n, int64_t* kept, int64_t* status,
                       void* stream) {
  const int64_t words = (n + kWord - 1) / kWord;
  const size_t shared = words * sizeof(uint64_t);
  if (shared > 48 << 10) {
    const cudaError_t allowed = allow_shared(sweep_kernel, shared);
    if (allowed != cudaSuccess) return allowed;
  }
  return launch(sweep_kernel, 1, kThreads, shared, stream, mask, order, n, words, kept, status);
}

}  // namespace ptfast
