#pragma once
#include "boxes/boxes_math.h"
#include "common/pair_matrix.h"

namespace ptfast {

// Tubes on one side of a tile, as they are in memory.
template <typename T>
struct TubeSide {
  const T* tubes;        // [all, t, 4]
  const uint8_t* valid;  // [all, t], zero leaves a frame out, or null: all valid
  const int64_t* order;  // [all] the tube at each place, or null: each at its own
  int64_t first;         // the tile's first place
  int count;
};

// Mean IoU of the pairs of a tile, for CUDA kernels, by the contract of tube_iou_matrix in boxes.h.
template <typename T>
struct IouTile {
  struct alignas(16) Frame {
    Box<T> box;
    T valid;  // 1 or 0
  };
  TubeSide<T> a, b;
  int64_t t;

  template <typename Tile>
  static size_t shared_bytes() {
    return (Tile::kRows + Tile::kColumns) * sizeof(Frame);
  }

  // All threads of the block call it together. Frames pass through shared memory one at a time: the first barrier keeps
  // the last frame's boxes until all threads are done with them, the second waits for the new ones. Each thread loads
  // one box of one side.
  template <int kRowsEach, int kColumnsEach>
  __device__ void values(const PairTile<kRowsEach, kColumnsEach>&, unsigned char* shared,
                         T (&values)[kRowsEach][kColumnsEach]) const {
    using Tile = PairTile<kRowsEach, kColumnsEach>;
    Frame* const rows = reinterpret_cast<Frame*>(shared);
    Frame* const columns = rows + Tile::kRows;
    const int thread = static_cast<int>(threadIdx.x), row = Tile::own_row(), column = Tile::own_column();
    T sum[kRowsEach][kColumnsEach] = {};
    for (int64_t frame = 0; frame < t; ++frame) {
      __syncthreads();
      if (thread < a.count) rows[thread] = load(a, thread, frame);
      const int other = thread - Tile::kRows;
      if (other >= 0 && other < b.count) columns[other] = load(b, other, frame);
      __syncthreads();
      if (row < a.count) add_frame(rows + row, columns + column, sum);
    }
#pragma unroll
    for (int r = 0; r < kRowsEach; ++r) {
#pragma unroll
      for (int c = 0; c < kColumnsEach; ++c) values[r][c] = sum[r][c] / T(t);
    }
  }

 private:
  __device__ Frame load(const TubeSide<T>& side, int place, int64_t frame) const {
    const int64_t at = side.first + place, i = (side.order == nullptr ? at : side.order[at]) * t + frame;
    const T* p = side.tubes + 4 * i;
    return {Box<T>::from(p[0], p[1], p[2], p[3]), T(side.valid == nullptr || side.valid[i] != 0)};
  }

  // rows: the thread's first row, columns: its first column
  template <int kRowsEach, int kColumnsEach>
  __device__ static void add_frame(const Frame* rows, const Frame* columns, T (&sum)[kRowsEach][kColumnsEach]) {
    Frame own[kColumnsEach];
#pragma unroll
    for (int c = 0; c < kColumnsEach; ++c) own[c] = columns[32 * c];
#pragma unroll
    for (int r = 0; r < kRowsEach; ++r) {
      const Frame row = rows[r];
      if (row.valid == T(0)) continue;
#pragma unroll
      for (int c = 0; c < kColumnsEach; ++c) {
        const T iou = box_iou(row.box, own[c].box);
        sum[r][c] += own[c].valid != T(0) ? iou : T(0);
      }
    }
  }
};

}  // namespace ptfast
