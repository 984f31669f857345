#include <algorithm>
#include <limits>
#include <numeric>
#include <vector>

#include "common/parallel.h"
#include "common/simd.h"
#include "nms/nms.h"
#include "nms/nms_math.h"
#include "nms/order.h"
#include "nms/overlap.h"

namespace ptfast {
namespace {

constexpr int64_t kChunk = 64;  // items that are settled among themselves before the others are compared with them

// Marks the items of blocks [begin, end) that overlap one of the heads by more than the threshold. Blocks are the outer
// loop: a block's numbers stay in the first-level cache for all heads.
// heads: indices of items, then -1, dead: [items.stride]
template <typename Overlap, typename T>
PTFAST_INLINE void suppress(const Overlap& overlap, const int64_t* heads, int64_t begin, int64_t end, T threshold,
                            T* __restrict__ dead) {
  for (int64_t block = begin; block < end; ++block)
    for (const int64_t* head = heads; *head >= 0; ++head) {
      T values[kBlock];
      overlap.block(*head, block * kBlock, values);
      T* flags = dead + block * kBlock;
      PTFAST_LANES
      for (int64_t j = 0; j < kBlock; ++j) flags[j] = values[j] > threshold ? T(1) : flags[j];
    }
}

// Multiplies the scores of blocks [begin, end) by exp(-overlap^2 / threshold), the head's own among them, but not where
// the overlap is 0 or NaN: -inf, which marks what is taken, stays what it is.
template <typename Overlap, typename T>
PTFAST_INLINE void rescore(const Overlap& overlap, int64_t head, int64_t begin, int64_t end, T threshold,
                           T* __restrict__ scores) {
  const T factor = soft_nms_factor(threshold);
  for (int64_t block = begin; block < end; ++block) {
    T values[kBlock];
    overlap.block(head, block * kBlock, values);
    PTFAST_LANES
    for (int64_t j = 0; j < kBlock; ++j)
      scores[block * kBlock + j] *= values[j] > T(0) ? soft_nms_weight(values[j], factor) : T(1);
  }
}

PTFAST_CLONES void run_suppress(const TubeOverlap<float>& overlap, const int64_t* heads, int64_t begin, int64_t end,
                                float threshold, float* dead) {
  suppress(overlap, heads, begin, end, threshold, dead);
}
PTFAST_CLONES void run_suppress(const TubeOverlap<double>& overlap, const int64_t* heads, int64_t begin, int64_t end,
                                double threshold, double* dead) {
  suppress(overlap, heads, begin, end, threshold, dead);
}
PTFAST_CLONES void run_suppress(const PoseOverlap<float>& overlap, const int64_t* heads, int64_t begin, int64_t end,
                                float threshold, float* dead) {
  suppress(overlap, heads, begin, end, threshold, dead);
}
PTFAST_CLONES void run_suppress(const PoseOverlap<double>& overlap, const int64_t* heads, int64_t begin, int64_t end,
                                double threshold, double* dead) {
  suppress(overlap, heads, begin, end, threshold, dead);
}
PTFAST_CLONES void run_rescore(const PoseOverlap<float>& overlap, int64_t head, int64_t begin, int64_t end,
                               float threshold, float* scores) {
  rescore(overlap, head, begin, end, threshold, scores);
}
PTFAST_CLONES void run_rescore(const PoseOverlap<double>& overlap, int64_t head, int64_t begin, int64_t end,
                               double threshold, double* scores) {
  rescore(overlap, head, begin, end, threshold, scores);
}

// Blocks of kBlock items worth a thread's while, where each is compared `comparisons` times.
int64_t grain(int64_t comparisons, int64_t terms) { return std::max<int64_t>(1, 100000 / (comparisons * terms + 1)); }

// Settles the best kChunk items among themselves one by one, strikes out the others that the kept ones overlap, in
// parallel, and goes on with the rest. Only kept items are ever compared with the others, and items that are struck out
// leave the columns, so each round has fewer.
template <typename Overlap, typename T>
int64_t greedy_nms(Overlap overlap, T threshold, int64_t* kept) {
  auto& items = overlap.items;
  const int64_t n = items.size;
  std::vector<T> dead;
  int64_t count = 0, heads[kChunk + 1];
  while (items.size > 0) {
    const int64_t chunk = std::min(kChunk, items.size), chunk_blocks = (chunk + kBlock - 1) / kBlock;
    dead.assign(items.stride, T(0));
    int64_t head_count = 0;
    for (int64_t i = 0; i < chunk; ++i) {
      if (dead[i] != T(0)) continue;
      const int64_t head[] = {i, -1};
      run_suppress(overlap, head, i / kBlock, chunk_blocks, threshold, dead.data());
      heads[head_count++] = i;
      kept[count++] = items.index[i];
    }
    heads[head_count] = -1;
    parallel_for(items.blocks() - chunk_blocks, grain(head_count, overlap.terms()), [&](int64_t begin, int64_t end) {
      run_suppress(overlap, heads, chunk_blocks + begin, chunk_blocks + end, threshold, dead.data());
    });
    items.compact(dead.data(), chunk);
  }
  std::fill(kept + count, kept + n, -1);
  return count;
}

}  // namespace

template <typename T>
int64_t tube_nms_cpu(const TubeNmsInputs<T>& in, int64_t* kept) {
  return greedy_nms(TubeOverlap<T>(in, descending_order(in.scores, in.n)), in.threshold, kept);
}

template <typename T>
int64_t oks_nms_cpu(const PoseNmsInputs<T>& in, int64_t* kept) {
  return greedy_nms(PoseOverlap<T>(in, descending_order(in.scores, in.n)), in.threshold, kept);
}

template <typename T>
void soft_oks_nms_cpu(const PoseNmsInputs<T>& in, int64_t count, int64_t* kept, T* rescored) {
  std::vector<int64_t> order(in.n);
  std::iota(order.begin(), order.end(), 0);
  const PoseOverlap<T> overlap(in, std::move(order));
  const auto& items = overlap.items;
  std::vector<T> scores(in.scores, in.scores + in.n);
  scores.resize(items.stride);
  for (int64_t i = 0; i < count; ++i) {
    const auto best = std::max_element(scores.begin(), scores.begin() + in.n);
    const int64_t head = kept[i] = best - scores.begin();
    rescored[i] = *best;
    parallel_for(items.blocks(), grain(1, overlap.terms()), [&](int64_t begin, int64_t end) {
      run_rescore(overlap, head, begin, end, in.threshold, scores.data());
    });
    scores[head] = -std::numeric_limits<T>::infinity();
  }
}

template int64_t tube_nms_cpu(const TubeNmsInputs<float>&, int64_t*);
template int64_t tube_nms_cpu(const TubeNmsInputs<double>&, int64_t*);
template int64_t oks_nms_cpu(const PoseNmsInputs<float>&, int64_t*);
template int64_t oks_nms_cpu(const PoseNmsInputs<double>&, int64_t*);
template void soft_oks_nms_cpu(const PoseNmsInputs<float>&, int64_t, int64_t*, float*);
template void soft_oks_nms_cpu(const PoseNmsInputs<double>&, int64_t, int64_t*, double*);

}  // namespace ptfast
