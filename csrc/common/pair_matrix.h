#pragma once
#include <cstdint>

#include "common/cuda.h"
#include "common/warp.h"

namespace ptfast {

// CUDA kernels that fill a matrix of pairs, out[batch, n, m]. A block takes a tile of it, with the rows' and the
// columns' numbers in shared memory, so that each number is read from memory once a tile instead of once a pair.

constexpr int kTileWarps = 8, kTileThreads = kWarp * kTileWarps;

// kCount values that one instruction, or few, can load. The address is a multiple of 16 bytes.
template <typename T, int kCount>
struct alignas(16) Aligned {
  T value[kCount];
};

// One tile. A thread owns kRowsEach rows in sequence, the same ones as its whole warp, and kColumnsEach columns that
// are 32 apart, so that a warp's stores are contiguous.
template <int kRowsEach, int kColumnsEach>
struct PairTile {
  static constexpr int kRows = kTileWarps * kRowsEach, kColumns = 32 * kColumnsEach;
  int64_t problem, row, column;  // the first row and column, counted within the problem
  int rows, columns;             // how many there are of kRows and kColumns

  template <typename Shape>
  static int64_t across(const Shape& s) {
    return (s.m + kColumns - 1) / kColumns;
  }
  template <typename Shape>
  static int64_t down(const Shape& s) {
    return (s.n + kRows - 1) / kRows;
  }

  __device__ PairTile(int64_t problem_, int64_t row_, int64_t column_, int64_t n, int64_t m)
      : problem(problem_),
        row(row_),
        column(column_),
        rows(static_cast<int>(n - row < kRows ? n - row : kRows)),
        columns(static_cast<int>(m - column < kColumns ? m - column : kColumns)) {}

  // The thread's first row and column, counted within the tile.
  __device__ static int own_row() { return static_cast<int>(threadIdx.x) / 32 * kRowsEach; }
  __device__ static int own_column() { return static_cast<int>(threadIdx.x) % 32; }
};

// Pairs computes a tile's values: it has Pairs::Value, a member `in` whose shape has batch, n and m, and
//   template <tile> size_t shared_bytes() const
//   template <tile> __device__ void values(const tile&, unsigned char* shared, Value (&)[kRowsEach][kColumnsEach])
//   const
// which all threads of a block call together, and which begins with a barrier, until nobody reads `shared` any more.
// Three blocks a multiprocessor hide each other's loads; the code of doubles takes too many registers for that.
template <typename Pairs, int kRowsEach, int kColumnsEach>
__global__ void __launch_bounds__(kTileThreads, sizeof(typename Pairs::Value) == 4 ? 3 : 1)
    pair_matrix_kernel(Pairs pairs, typename Pairs::Value* __restrict__ out, int64_t across, int64_t down) {
  using Tile = PairTile<kRowsEach, kColumnsEach>;
  PTFAST_DYNAMIC_SHARED(unsigned char, shared);
  const auto& s = pairs.in.shape;
  for (int64_t i = blockIdx.x; i < s.batch * down * across; i += gridDim.x) {
    const int64_t line = i / across, problem = line / down;
    const Tile tile(problem, line % down * Tile::kRows, i % across * Tile::kColumns, s.n, s.m);
    typename Pairs::Value values[kRowsEach][kColumnsEach];
    pairs.values(tile, shared, values);
    const int row = Tile::own_row(), column = Tile::own_column();
    typename Pairs::Value* first = out + (problem * s.n + tile.row + row) * s.m + tile.column + column;
#pragma unroll
    for (int r = 0; r < kRowsEach; ++r, first += s.m) {
      if (row + r >= tile.rows) break;
#pragma unroll
      for (int c = 0; c < kColumnsEach; ++c)
        if (column + 32 * c < tile.columns) first[32 * c] = values[r][c];
    }
  }
}

template <int kRowsEach, int kColumnsEach, typename Pairs>
cudaError_t launch_tiles(const Pairs& pairs, typename Pairs::Value* out, void* stream) {
  using Tile = PairTile<kRowsEach, kColumnsEach>;
  const int64_t across = Tile::across(pairs.in.shape), down = Tile::down(pairs.in.shape);
  const unsigned grid = grid_size(pairs.in.shape.batch * across * down, 1);
  return launch(pair_matrix_kernel<Pairs, kRowsEach, kColumnsEach>, grid, kTileThreads,
                pairs.template shared_bytes<Tile>(), stream, pairs, out, across, down);
}

// Fills out: [batch, n, m]. Tiles are of 32 x 32, of which a small problem leaves little unused. Where they fill a
// device, a thread takes Pairs::kRowsEach rows and two columns, which spares loads. (0: not for this Pairs.)
template <typename Pairs>
cudaError_t fill_pairs(const Pairs& pairs, typename Pairs::Value* out, int device, void* stream) {
  const auto& s = pairs.in.shape;
  const int64_t count = s.batch * s.n * s.m;
  if (count == 0) return cudaSuccess;
  DeviceGuard guard(device);
  if (guard.status() != cudaSuccess) return guard.status();
  if constexpr (Pairs::kRowsEach > 0)
    if (s.n > 32 && s.m > 32 && count >= 1 << 20) return launch_tiles<Pairs::kRowsEach, 2>(pairs, out, stream);
  return launch_tiles<4, 1>(pairs, out, stream);
}

}  // namespace ptfast
