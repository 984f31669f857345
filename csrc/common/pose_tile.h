#pragma once
#include <cstdint>

#include "common/pair_matrix.h"

namespace ptfast {

// Joints in shared memory at a time: a bit each in a word of visibility, and within 48 KB for both sides.
template <typename T>
constexpr int kTileJoints = sizeof(T) == 4 ? 32 : 16;

// Poses on one side of a tile, as they are in memory.
template <typename T>
struct PoseSide {
  const T* poses;          // [all, k, 2]
  const uint8_t* visible;  // [all, k], zero hides a joint, or null: all visible
  const int64_t* order;    // [all] the pose at each place, or null: each at its own
  int64_t first;           // the tile's first place
  int count;

  // The pose at a place of the tile, or the last pose where there is none.
  __device__ int64_t index(int place) const {
    const int64_t at = first + (place < count ? place : count - 1);
    return order == nullptr ? at : order[at];
  }
};

// Up to kTileJoints<T> joints of kPoses poses in shared memory, joint by joint.
template <typename T, int kPoses>
struct PoseTile {
  // A multiple of 16 bytes, but not of all banks, as a pose's joints are stored by one warp at once.
  static constexpr int kStride = kPoses + 16 / sizeof(T);
  T *x, *y;           // [joints, kStride]
  uint32_t* visible;  // [kPoses], joint i in bit i

  __host__ __device__ static size_t bytes(int64_t k) {
    const size_t joints = k < kTileJoints<T> ? k : kTileJoints<T>;
    return 2 * joints * kStride * sizeof(T) + kPoses * sizeof(uint32_t);
  }

  __device__ PoseTile(unsigned char* shared, int64_t k)
      : x(reinterpret_cast<T*>(shared)),
        y(x + (k < kTileJoints<T> ? k : kTileJoints<T>)*kStride),
        visible(reinterpret_cast<uint32_t*>(shared + bytes(k)) - kPoses) {}

  // Loads joints [begin, begin + joints) of k with the whole block: a warp takes a pose at a time, a lane a joint.
  template <bool kMasked>
  __device__ void load(const PoseSide<T>& side, int64_t k, int64_t begin, int joints) {
    const int lane = static_cast<int>(threadIdx.x) % 32;
    int place = static_cast<int>(threadIdx.x) / 32;
    int64_t next = (side.first + place) * k + begin + lane;
    for (; place < side.count; place += kTileWarps, next += kTileWarps * k) {
      const int64_t joint = side.order == nullptr ? next : side.order[side.first + place] * k + begin + lane;
      if (lane < joints) {
        x[lane * kStride + place] = side.poses[2 * joint];
        y[lane * kStride + place] = side.poses[2 * joint + 1];
      }
      if (kMasked) {
        const bool shown = lane < joints && (side.visible == nullptr || side.visible[joint] != 0);
        const uint32_t word = __ballot_sync(kWholeWarp, shown);
        if (lane == 0) visible[place] = word;
      }
    }
  }

  // Coordinates of joint i of kCount poses in sequence. `place` is a multiple of as many as 16 bytes hold.
  template <int kCount>
  __device__ Aligned<T, kCount> sequence(const T* coordinate, int i, int place) const {
    return *reinterpret_cast<const Aligned<T, kCount>*>(coordinate + i * kStride + place);
  }
};

// The joints that are visible in both, of the thread's pairs: a bit each. Adds their number to `count`.
template <typename Rows, typename Columns, int kRowsEach, int kColumnsEach>
__device__ void common_joints(const Rows& rows, const Columns& columns, uint32_t (&common)[kRowsEach][kColumnsEach],
                              int (&count)[kRowsEach][kColumnsEach]) {
  using Tile = PairTile<kRowsEach, kColumnsEach>;
#pragma unroll
  for (int r = 0; r < kRowsEach; ++r) {
#pragma unroll
    for (int c = 0; c < kColumnsEach; ++c) {
      common[r][c] = rows.visible[Tile::own_row() + r] & columns.visible[Tile::own_column() + 32 * c];
      count[r][c] += __popc(common[r][c]);
    }
  }
}

}  // namespace ptfast
