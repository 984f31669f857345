#include <algorithm>

#include "common/packed_poses.h"
#include "common/parallel.h"
#include "common/simd.h"
#include "pckh/pckh.h"
#include "pckh/pckh_math.h"

namespace ptfast {
namespace {

constexpr int64_t kRows = 64;  // rows that share one packing

// out[j] = the share of common joints within reach, of pose a and columns block .. block + kLanes.
template <typename T, bool kAllVisible>
inline __attribute__((always_inline)) void pckh_block(const T* a,              // [k, 2]
                                                      const uint8_t* visible,  // [k] or null
                                                      const PackedPoses<T>& b,
                                                      const T* limits,  // [kColumns]
                                                      int64_t block, int64_t k_count, T* __restrict__ out) {
  T sum[kLanes] = {}, count[kLanes] = {};
  for (int64_t k = 0; k < k_count; ++k) {
    if (visible != nullptr && visible[k] == 0) continue;
    const T ax = a[2 * k], ay = a[2 * k + 1];
    const int64_t column = k * kColumns + block;
#pragma GCC unroll 1
    for (int64_t j = 0; j < kLanes; ++j) {
      const T weight = kAllVisible ? T(1) : b.weight[column + j];
      const T term = pckh_term(ax - b.x[column + j], ay - b.y[column + j], limits[block + j]);
      sum[j] += weight != T(0) ? term : T(0);
      count[j] += weight;
    }
  }
#pragma GCC unroll 1
  for (int64_t j = 0; j < kLanes; ++j) out[j] = count[j] > T(0) ? sum[j] / count[j] : T(0);
}

template <typename T, bool kAllVisible>
inline __attribute__((always_inline)) void pckh_row(const T* a, const uint8_t* visible, const PackedPoses<T>& b,
                                                    const T* limits, int64_t k_count, T* __restrict__ out) {
  int64_t block = 0;
  for (; block + kLanes <= b.width; block += kLanes)
    pckh_block<T, kAllVisible>(a, visible, b, limits, block, k_count, out + block);
  if (block == b.width) return;
  T last[kLanes];
  pckh_block<T, kAllVisible>(a, visible, b, limits, block, k_count, last);
  for (int64_t j = 0; j < b.width - block; ++j) out[block + j] = last[j];
}

// Tiles [begin, end) of the batch: tile t is row block t % row_blocks of problem t / row_blocks, over all columns.
template <typename T>
inline __attribute__((always_inline)) void pckh_tiles(const PckhInputs<T>& in, T* out, int64_t begin, int64_t end) {
  static thread_local PackedPoses<T> packed;
  const auto& s = in.shape;
  const int64_t row_blocks = (s.n + kRows - 1) / kRows;
  T limits[kColumns];
  for (int64_t tile = begin; tile < end; ++tile) {
    const int64_t problem = tile / row_blocks, first_row = problem * s.n + tile % row_blocks * kRows;
    const int64_t last_row = std::min(first_row + kRows, (problem + 1) * s.n);
    for (int64_t first = 0; first < s.m; first += kColumns) {
      const int64_t column = problem * s.m + first;
      packed.pack(in.b + column * s.k * 2, in.b_visible == nullptr ? nullptr : in.b_visible + column * s.k,
                  s.m - first, s.k);
      for (int64_t j = 0; j < packed.padded; ++j)
        limits[j] = pckh_limit(in.threshold, in.head_sizes[column + std::min(j, packed.width - 1)]);
      for (int64_t row = first_row; row < last_row; ++row) {
        const uint8_t* visible = in.a_visible == nullptr ? nullptr : in.a_visible + row * s.k;
        T* result = out + row * s.m + first;
        if (packed.all_visible)
          pckh_row<T, true>(in.a + row * s.k * 2, visible, packed, limits, s.k, result);
        else
          pckh_row<T, false>(in.a + row * s.k * 2, visible, packed, limits, s.k, result);
      }
    }
  }
}

PTFAST_CLONES void pckh_tiles_f32(const PckhInputs<float>& in, float* out, int64_t begin, int64_t end) {
  pckh_tiles(in, out, begin, end);
}
PTFAST_CLONES void pckh_tiles_f64(const PckhInputs<double>& in, double* out, int64_t begin, int64_t end) {
  pckh_tiles(in, out, begin, end);
}
void run_tiles(const PckhInputs<float>& in, float* out, int64_t begin, int64_t end) {
  pckh_tiles_f32(in, out, begin, end);
}
void run_tiles(const PckhInputs<double>& in, double* out, int64_t begin, int64_t end) {
  pckh_tiles_f64(in, out, begin, end);
}

}  // namespace

template <typename T>
void pckh_matrix_cpu(const PckhInputs<T>& in, T* out) {
  const auto& s = in.shape;
  const int64_t tiles = s.batch * ((s.n + kRows - 1) / kRows);
  const int64_t terms_a_tile = std::max<int64_t>(1, std::min(s.n, kRows) * s.m * s.k);
  parallel_for(tiles, std::max<int64_t>(1, 1600000 / terms_a_tile),
               [&](int64_t begin, int64_t end) { run_tiles(in, out, begin, end); });
}

template void pckh_matrix_cpu(const PckhInputs<float>&, float*);
template void pckh_matrix_cpu(const PckhInputs<double>&, double*);

}  // namespace ptfast
