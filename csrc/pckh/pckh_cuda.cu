#include "common/pose_tile.h"
#include "pckh/pckh.h"
#include "pckh/pckh_math.h"

namespace ptfast {
namespace {

// PCKh of the pairs of a tile, by the contract of pair_matrix.h: joints pass through shared memory as in oks_tile.h,
// and each column's limit stays in a register.
template <typename T, bool kMasked>
struct PckhPairs {
  using Value = T;
  static constexpr int kRowsEach = sizeof(T) > 4 ? 0 : 4;
  PckhInputs<T> in;

  template <typename Tile>
  size_t shared_bytes() const {
    return PoseTile<T, Tile::kRows>::bytes(in.shape.k) + PoseTile<T, Tile::kColumns>::bytes(in.shape.k);
  }

  template <int kRows, int kColumns>
  __device__ void values(const PairTile<kRows, kColumns>& tile, unsigned char* shared,
                         T (&values)[kRows][kColumns]) const {
    using Tile = PairTile<kRows, kColumns>;
    const auto& s = in.shape;
    const PoseSide<T> a{in.a, in.a_visible, nullptr, tile.problem * s.n + tile.row, tile.rows};
    const PoseSide<T> b{in.b, in.b_visible, nullptr, tile.problem * s.m + tile.column, tile.columns};
    PoseTile<T, Tile::kRows> rows(shared, s.k);
    PoseTile<T, Tile::kColumns> columns(shared + rows.bytes(s.k), s.k);
    T limits[kColumns], within[kRows][kColumns] = {};
    int count[kRows][kColumns] = {};
    // A column past the problem takes the last one's head size, and its results are not written.
#pragma unroll
    for (int c = 0; c < kColumns; ++c)
      limits[c] = pckh_limit(in.threshold, in.head_sizes[b.index(Tile::own_column() + 32 * c)]);
    for (int64_t begin = 0; begin < s.k; begin += kTileJoints<T>) {
      const int joints = static_cast<int>(s.k - begin < kTileJoints<T> ? s.k - begin : kTileJoints<T>);
      __syncthreads();  // nobody reads the last round's joints any more
      rows.template load<kMasked>(a, s.k, begin, joints);
      columns.template load<kMasked>(b, s.k, begin, joints);
      __syncthreads();
      if (Tile::own_row() < a.count) add_terms(rows, columns, joints, limits, within, count);
    }
#pragma unroll
    for (int r = 0; r < kRows; ++r) {
#pragma unroll
      for (int c = 0; c < kColumns; ++c) values[r][c] = pckh_share(within[r][c], kMasked ? T(count[r][c]) : T(s.k));
    }
  }

 private:
  // Adds `joints` joints, which lie in shared memory. Bit i of common says whether joint i is visible in both.
  template <typename Rows, typename Columns, int kRows, int kColumns>
  __device__ static void add_terms(const Rows& rows, const Columns& columns, int joints, const T (&limits)[kColumns],
                                   T (&within)[kRows][kColumns], int (&count)[kRows][kColumns]) {
    using Tile = PairTile<kRows, kColumns>;
    const int row = Tile::own_row(), column = Tile::own_column();
    uint32_t common[kRows][kColumns];
    if (kMasked) common_joints(rows, columns, common, count);
    for (int i = 0; i < joints; ++i) {
      const auto x = rows.template sequence<kRows>(rows.x, i, row);
      const auto y = rows.template sequence<kRows>(rows.y, i, row);
#pragma unroll
      for (int c = 0; c < kColumns; ++c) {
        const int at = i * Columns::kStride + column + 32 * c;
        const T bx = columns.x[at], by = columns.y[at];
#pragma unroll
        for (int r = 0; r < kRows; ++r) {
          const T term = pckh_term(x.value[r] - bx, y.value[r] - by, limits[c]);
          if (!kMasked || (common[r][c] >> i & 1u) != 0) within[r][c] += term;
        }
      }
    }
  }
};

}  // namespace

template <typename T>
int pckh_matrix_cuda(const PckhInputs<T>& in, T* out, int device, void* stream) {
  if (in.a_visible == nullptr && in.b_visible == nullptr)
    return fill_pairs(PckhPairs<T, false>{in}, out, device, stream);
  return fill_pairs(PckhPairs<T, true>{in}, out, device, stream);
}

template int pckh_matrix_cuda(const PckhInputs<float>&, float*, int, void*);
template int pckh_matrix_cuda(const PckhInputs<double>&, double*, int, void*);

}  // namespace ptfast
