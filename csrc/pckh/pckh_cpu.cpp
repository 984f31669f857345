#include <algorithm>
#include <vector>

#include "common/packed_poses.h"
#include "common/parallel.h"
#include "common/simd.h"
#include "pckh/pckh.h"
#include "pckh/pckh_math.h"

namespace ptfast {
namespace {

constexpr int64_t kRows = 128;  // rows that share one packing

// count[j] = number of joints visible in both and within[j] = number of those within reach, for pose a and kBlock
// columns from block. As in oks_cpu.cpp, sums stay in registers and hidden joints are dropped by a select.
template <typename T, bool kAllVisible>
PTFAST_INLINE void pckh_block(const T* a,             // [k, 2]
                              const int64_t* joints,  // from visible_joints
                              const PackedPoses<T>& b,
                              const T* limits,  // [kColumns]
                              int64_t block, T* __restrict__ within, T* __restrict__ count) {
  T sum[kBlock] = {}, common_joints[kBlock] = {};
  for (; *joints >= 0; ++joints) {
    const int64_t k = *joints, column = k * kColumns + block;
    const T ax = a[2 * k], ay = a[2 * k + 1];
    PTFAST_LANES
    for (int64_t j = 0; j < kBlock; ++j) {
      const T common = kAllVisible ? T(1) : b.weight[column + j];
      const T term = pckh_term(ax - b.x[column + j], ay - b.y[column + j], limits[block + j]);
      sum[j] += common != T(0) ? term : T(0);
      common_joints[j] += common;
    }
  }
  PTFAST_LANES
  for (int64_t j = 0; j < kBlock; ++j) {
    within[block + j] = sum[j];
    count[block + j] = common_joints[j];
  }
}

// One row of the matrix. The last block may reach past the packed columns, whose results are dropped here.
template <typename T, bool kAllVisible>
PTFAST_INLINE void pckh_row(const T* a, const int64_t* joints, const PackedPoses<T>& b, const T* limits,
                            T* __restrict__ out) {
  T within[kColumns], count[kColumns];
  for (int64_t block = 0; block < b.padded; block += kBlock)
    pckh_block<T, kAllVisible>(a, joints, b, limits, block, within, count);
  for (int64_t j = 0; j < b.width; ++j) out[j] = pckh_share(within[j], count[j]);
}

// Rows [begin, end) of a problem with the columns from `first` on.
template <typename T>
PTFAST_INLINE void pckh_tile(const PckhInputs<T>& in, PackedPoses<T>& packed, std::vector<int64_t>& joints,
                             int64_t problem, int64_t begin, int64_t end, int64_t first, T* out) {
  const auto& s = in.shape;
  const int64_t column = problem * s.m + first;
  packed.pack(in.b + column * s.k * 2, in.b_visible == nullptr ? nullptr : in.b_visible + column * s.k, s.m - first,
              s.k);
  T limits[kColumns] = {};
  for (int64_t j = 0; j < packed.width; ++j) limits[j] = pckh_limit(in.threshold, in.head_sizes[column + j]);
  for (int64_t row = begin; row < end; ++row) {
    if (in.a_visible != nullptr || row == begin)
      visible_joints(in.a_visible == nullptr ? nullptr : in.a_visible + row * s.k, s.k, joints);
    T* result = out + row * s.m + first;
    if (packed.all_visible)
      pckh_row<T, true>(in.a + row * s.k * 2, joints.data(), packed, limits, result);
    else
      pckh_row<T, false>(in.a + row * s.k * 2, joints.data(), packed, limits, result);
  }
}

// Tiles [begin, end) of the batch. Tile t is row block t % row_blocks of problem t / row_blocks, over all columns.
template <typename T>
PTFAST_INLINE void pckh_tiles(const PckhInputs<T>& in, T* out, int64_t begin, int64_t end) {
  static thread_local PackedPoses<T> packed;
  static thread_local std::vector<int64_t> joints;
  const auto& s = in.shape;
  const int64_t row_blocks = (s.n + kRows - 1) / kRows;
  for (int64_t tile = begin; tile < end; ++tile) {
    const int64_t problem = tile / row_blocks, first_row = problem * s.n + tile % row_blocks * kRows;
    const int64_t last_row = std::min(first_row + kRows, (problem + 1) * s.n);
    for (int64_t first = 0; first < s.m; first += kColumns)
      pckh_tile(in, packed, joints, problem, first_row, last_row, first, out);
  }
}

PTFAST_CLONES void run_tiles(const PckhInputs<float>& in, float* out, int64_t begin, int64_t end) {
  pckh_tiles(in, out, begin, end);
}
PTFAST_CLONES void run_tiles(const PckhInputs<double>& in, double* out, int64_t begin, int64_t end) {
  pckh_tiles(in, out, begin, end);
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
