#pragma once
#include "common/pose_tile.h"
#include "oks/oks_math.h"

namespace ptfast {

// OKS of the pairs of a tile, for CUDA kernels, by the contract of oks_matrix in oks.h. Without masks all joints are
// visible. The pair's area is the mean of both, or b's alone.
template <typename T, bool kMasked, bool kMeanArea>
struct OksTile {
  PoseSide<T> a, b;
  const T* area_a;  // [all] of a's poses, unused for b's area alone
  const T* area_b;  // [all] of b's poses
  const T* sigmas;  // [k]
  int64_t k;

  template <typename Tile>
  static size_t shared_bytes(int64_t k) {
    return kTileJoints<T> * sizeof(T) + PoseTile<T, Tile::kRows>::bytes(k) + PoseTile<T, Tile::kColumns>::bytes(k);
  }

  // All threads of the block call it together. Joints pass through shared memory kTileJoints at a time. The first
  // barrier of a round keeps the last round's joints until all threads are done with them, the second waits for the new
  // ones. A thread whose rows lie outside the tile still takes part in both.
  template <int kRowsEach, int kColumnsEach>
  __device__ void values(const PairTile<kRowsEach, kColumnsEach>&, unsigned char* shared,
                         T (&values)[kRowsEach][kColumnsEach]) const {
    using Tile = PairTile<kRowsEach, kColumnsEach>;
    constexpr int kAreas = kMeanArea ? kRowsEach : 1;
    T* const factors = reinterpret_cast<T*>(shared);
    PoseTile<T, Tile::kRows> rows(shared + kTileJoints<T> * sizeof(T), k);
    PoseTile<T, Tile::kColumns> columns(shared + kTileJoints<T> * sizeof(T) + rows.bytes(k), k);
    T area[kAreas][kColumnsEach], inverse[kAreas][kColumnsEach], sum[kRowsEach][kColumnsEach] = {};
    int count[kRowsEach][kColumnsEach] = {};
    areas(area);
#pragma unroll
    for (int r = 0; r < kAreas; ++r) {
#pragma unroll
      for (int c = 0; c < kColumnsEach; ++c) inverse[r][c] = T(1) / oks_area(area[r][c]);
    }
    for (int64_t begin = 0; begin < k; begin += kTileJoints<T>) {
      const int joints = static_cast<int>(k - begin < kTileJoints<T> ? k - begin : kTileJoints<T>);
      __syncthreads();
      rows.template load<kMasked>(a, k, begin, joints);
      columns.template load<kMasked>(b, k, begin, joints);
      if (static_cast<int>(threadIdx.x) < joints) factors[threadIdx.x] = oks_factor(sigmas[begin + threadIdx.x]);
      __syncthreads();
      if (Tile::own_row() < a.count) add_terms(rows, columns, factors, joints, inverse, sum, count);
    }
    areas(area);  // read once more, so that they take no registers during the loop
#pragma unroll
    for (int r = 0; r < kRowsEach; ++r) {
#pragma unroll
      for (int c = 0; c < kColumnsEach; ++c)
        values[r][c] = oks_mean(sum[r][c], kMasked ? T(count[r][c]) : T(k), area[kMeanArea ? r : 0][c]);
    }
  }

 private:
  template <int kAreas, int kColumnsEach>
  __device__ void areas(T (&area)[kAreas][kColumnsEach]) const {
    using Tile = PairTile<kAreas, kColumnsEach>;
#pragma unroll
    for (int c = 0; c < kColumnsEach; ++c) {
      const T column = area_b[b.index(Tile::own_column() + 32 * c)];
#pragma unroll
      for (int r = 0; r < kAreas; ++r)
        area[r][c] = kMeanArea ? oks_mean_area(area_a[a.index(Tile::own_row() + r)], column) : column;
    }
  }

  // Adds the terms of `joints` joints, which lie in shared memory. A thread reads its rows' coordinates as vectors,
  // the same ones as its whole warp, and a pair of coordinates for each column, so that few loads serve all its pairs.
  template <typename Rows, typename Columns, int kAreas, int kRowsEach, int kColumnsEach>
  __device__ static void add_terms(const Rows& rows, const Columns& columns, const T* factors, int joints,
                                   const T (&inverse)[kAreas][kColumnsEach], T (&sum)[kRowsEach][kColumnsEach],
                                   int (&count)[kRowsEach][kColumnsEach]) {
    using Tile = PairTile<kRowsEach, kColumnsEach>;
    const int row = Tile::own_row(), column = Tile::own_column();
    uint32_t common[kRowsEach][kColumnsEach];
    if (kMasked) common_joints(rows, columns, common, count);
    for (int i = 0; i < joints; ++i) {
      const auto x = rows.template sequence<kRowsEach>(rows.x, i, row);
      const auto y = rows.template sequence<kRowsEach>(rows.y, i, row);
      const T factor = factors[i];
#pragma unroll
      for (int c = 0; c < kColumnsEach; ++c) {
        const int at = i * Columns::kStride + column + 32 * c;
        const T bx = columns.x[at], by = columns.y[at];
#pragma unroll
        for (int r = 0; r < kRowsEach; ++r) {
          const T term = oks_term(x.value[r] - bx, y.value[r] - by, factor * inverse[kMeanArea ? r : 0][c]);
          if (!kMasked || (common[r][c] >> i & 1u) != 0) sum[r][c] += term;
        }
      }
    }
  }
};

}  // namespace ptfast
