#include <algorithm>
#include <vector>

#include "common/packed_poses.h"
#include "common/parallel.h"
#include "common/simd.h"
#include "oks/oks.h"
#include "oks/oks_math.h"

namespace ptfast {
namespace {

constexpr int64_t kRows = 128;  // rows that share one packing

// Up to kColumns poses of b and, for each joint of each, the scale of its term. The scales depend on a row only through
// its area, so without areas of a they are computed once for all rows of a tile.
template <typename T>
struct OksColumns {
  PackedPoses<T> poses;
  std::vector<T> scale, limit;  // [k, kColumns], arguments of oks_term
  std::vector<int64_t> joints;  // of the row's pose, from visible_joints
  T own_area[kColumns] = {};    // b's
  T area[kColumns] = {};        // the pair's

  PTFAST_INLINE void pack(const OksInputs<T>& in, int64_t first, int64_t count) {
    const int64_t k = in.shape.k;
    poses.pack(in.b + first * k * 2, in.b_visible == nullptr ? nullptr : in.b_visible + first * k, count, k);
    scale.resize(k * kColumns);
    limit.resize(k * kColumns);
    std::copy_n(in.area_b + first, poses.width, own_area);
  }

  // row_area: of the row's pose, or null where b's area alone counts. factors: [k]
  PTFAST_INLINE void set_scales(const T* row_area, const T* factors, int64_t k_count) {
    T divisor[kColumns], inverse[kColumns];
    for (int64_t j = 0; j < poses.width; ++j) {
      area[j] = row_area == nullptr ? own_area[j] : oks_mean_area(*row_area, own_area[j]);
      divisor[j] = oks_area(area[j]);
      inverse[j] = T(1) / divisor[j];
    }
    for (int64_t k = 0; k < k_count; ++k) {
      const T factor = factors[k], reach = T(kOksFloor) / factor;
      T *scales = &scale[k * kColumns], *limits = &limit[k * kColumns];
      for (int64_t j = 0; j < poses.width; ++j) {
        scales[j] = factor * inverse[j];
        limits[j] = reach * divisor[j];
      }
    }
  }
};

// total[j] = sum of the terms and count[j] = number of joints visible in both, for pose a and kBlock columns from
// block. The accumulators of the block stay in registers over all joints. A hidden joint's term is computed and dropped
// by a select: a branch would keep the lanes from vectorising.
template <typename T, bool kAllVisible>
PTFAST_INLINE void oks_block(const T* a,             // [k, 2]
                             const int64_t* joints,  // from visible_joints
                             const OksColumns<T>& b, int64_t block, T* __restrict__ total, T* __restrict__ count) {
  T sum[kBlock] = {}, common_joints[kBlock] = {};
  for (; *joints >= 0; ++joints) {
    const int64_t k = *joints;
    const T ax = a[2 * k], ay = a[2 * k + 1];
    const int64_t column = k * kColumns + block;
    const T *x = &b.poses.x[column], *y = &b.poses.y[column], *weight = &b.poses.weight[column];
    const T *scale = &b.scale[column], *limit = &b.limit[column];
    PTFAST_LANES
    for (int64_t j = 0; j < kBlock; ++j) {
      const T common = kAllVisible ? T(1) : weight[j];
      const T term = oks_term(ax - x[j], ay - y[j], scale[j], limit[j]);
      sum[j] += common != T(0) ? term : T(0);
      common_joints[j] += common;
    }
  }
  PTFAST_LANES
  for (int64_t j = 0; j < kBlock; ++j) {
    total[block + j] = sum[j];
    count[block + j] = common_joints[j];
  }
}

template <typename T, bool kAllVisible>
PTFAST_INLINE void oks_row(const T* a, const int64_t* joints, const OksColumns<T>& b, T* __restrict__ out) {
  T total[kColumns], count[kColumns];
  for (int64_t block = 0; block < b.poses.padded; block += kBlock)
    oks_block<T, kAllVisible>(a, joints, b, block, total, count);
  for (int64_t j = 0; j < b.poses.width; ++j) out[j] = oks_mean(total[j], count[j], b.area[j]);
}

// Rows [begin, end) of a problem with the columns from `first` on. What depends on the row alone is computed again only
// where rows differ in it.
template <typename T>
PTFAST_INLINE void oks_tile(const OksInputs<T>& in, const T* factors, OksColumns<T>& packed, int64_t problem,
                            int64_t begin, int64_t end, int64_t first, T* out) {
  const auto& s = in.shape;
  const int64_t column = problem * s.m + first;
  packed.pack(in, column, s.m - first);
  for (int64_t row = begin; row < end; ++row) {
    if (in.area_a != nullptr || row == begin)
      packed.set_scales(in.area_a == nullptr ? nullptr : in.area_a + row, factors, s.k);
    if (in.a_visible != nullptr || row == begin)
      visible_joints(in.a_visible == nullptr ? nullptr : in.a_visible + row * s.k, s.k, packed.joints);
    T* result = out + row * s.m + first;
    if (packed.poses.all_visible)
      oks_row<T, true>(in.a + row * s.k * 2, packed.joints.data(), packed, result);
    else
      oks_row<T, false>(in.a + row * s.k * 2, packed.joints.data(), packed, result);
  }
}

// Tiles [begin, end) of the batch. Tile t is row block t % row_blocks of problem t / row_blocks, over all columns.
// Columns are packed once for kRows rows and read from the first-level cache by each of them.
template <typename T>
PTFAST_INLINE void oks_tiles(const OksInputs<T>& in, const T* factors, T* out, int64_t begin, int64_t end) {
  static thread_local OksColumns<T> packed;
  const auto& s = in.shape;
  const int64_t row_blocks = (s.n + kRows - 1) / kRows;
  for (int64_t tile = begin; tile < end; ++tile) {
    const int64_t problem = tile / row_blocks, first_row = problem * s.n + tile % row_blocks * kRows;
    const int64_t last_row = std::min(first_row + kRows, (problem + 1) * s.n);
    for (int64_t first = 0; first < s.m; first += kColumns)
      oks_tile(in, factors, packed, problem, first_row, last_row, first, out);
  }
}

PTFAST_CLONES void run_tiles(const OksInputs<float>& in, const float* factors, float* out, int64_t begin, int64_t end) {
  oks_tiles(in, factors, out, begin, end);
}
PTFAST_CLONES void run_tiles(const OksInputs<double>& in, const double* factors, double* out, int64_t begin,
                             int64_t end) {
  oks_tiles(in, factors, out, begin, end);
}

}  // namespace

template <typename T>
void oks_matrix_cpu(const OksInputs<T>& in, T* out) {
  const auto& s = in.shape;
  std::vector<T> factors(s.k);
  for (int64_t k = 0; k < s.k; ++k) factors[k] = oks_factor(in.sigmas[k]);
  const int64_t tiles = s.batch * ((s.n + kRows - 1) / kRows);
  const int64_t terms_a_tile = std::max<int64_t>(1, std::min(s.n, kRows) * s.m * s.k);
  parallel_for(tiles, std::max<int64_t>(1, 800000 / terms_a_tile),
               [&](int64_t begin, int64_t end) { run_tiles(in, factors.data(), out, begin, end); });
}

template void oks_matrix_cpu(const OksInputs<float>&, float*);
template void oks_matrix_cpu(const OksInputs<double>&, double*);

}  // namespace ptfast
