#include "boxes/iou_tile.h"
#include "nms/nms.h"
#include "nms/sweep.h"
#include "oks/oks_tile.h"

namespace ptfast {
namespace {

constexpr int kRowsEach = 4, kHalf = 32;
using Tile = PairTile<kRowsEach, 2>;
static_assert(Tile::kRows == kHalf && Tile::kColumns == kWord, "a tile of pairs makes one word for each of its rows");

// True where the lane's share of `count` numbers is finite. x - x is 0 for finite x alone.
template <typename T>
__device__ bool finite(const T* numbers, int64_t count) {
  bool result = true;
  for (int64_t i = threadIdx.x % kWarp; i < count; i += kWarp) result &= numbers[i] - numbers[i] == T(0);
  return result;
}

// Both kinds of items share one form: values() gives their overlaps by the contract of pair_matrix.h, for items in the
// order given, and lane_finite() is true where the lane's share of an item's numbers is finite.

template <typename T>
struct TubeItems {
  using Value = T;
  TubeNmsInputs<T> in;
  const int64_t* order;

  size_t shared_bytes() const { return IouTile<T>::template shared_bytes<Tile>(); }
  template <typename Values>
  __device__ void values(const Tile& tile, unsigned char* shared, Values& values) const {
    const TubeSide<T> a{in.tubes, nullptr, order, tile.row, tile.rows};
    const TubeSide<T> b{in.tubes, nullptr, order, tile.column, tile.columns};
    IouTile<T>{a, b, in.t}.values(tile, shared, values);
  }
  __device__ bool lane_finite(int64_t item) const {
    return finite(in.tubes + item * 4 * in.t, 4 * in.t) && finite(in.scores + item, 1);
  }
};

template <typename T>
struct PoseItems {
  using Value = T;
  PoseNmsInputs<T> in;
  const int64_t* order;

  size_t shared_bytes() const { return OksTile<T, false, true>::template shared_bytes<Tile>(in.k); }
  template <typename Values>
  __device__ void values(const Tile& tile, unsigned char* shared, Values& values) const {
    const PoseSide<T> a{in.keypoints, nullptr, order, tile.row, tile.rows};
    const PoseSide<T> b{in.keypoints, nullptr, order, tile.column, tile.columns};
    OksTile<T, false, true>{a, b, in.areas, in.areas, in.sigmas, in.k}.values(tile, shared, values);
  }
  __device__ bool lane_finite(int64_t item) const {
    return finite(in.keypoints + item * 2 * in.k, 2 * in.k) && finite(in.scores + item, 1) &&
           finite(in.areas + item, 1) && finite(in.sigmas, in.k);
  }
};

// Fills the mask that sweep.h describes, in parallel over all pairs. A thread's row is its whole warp's row and its two
// columns are 32 apart, so two ballots make the word of a row. Tiles below the diagonal are skipped, as each pair is
// needed once, from its better item.
template <typename Items>
__global__ void __launch_bounds__(kTileThreads, sizeof(typename Items::Value) == 4 ? 2 : 1)
    mask_kernel(Items items, uint64_t* __restrict__ mask, int64_t down, int64_t words) {
  PTFAST_DYNAMIC_SHARED(unsigned char, shared);
  for (int64_t i = blockIdx.x; i < down * words; i += gridDim.x) {
    const int64_t half = i / words, across = i % words;
    if (across < half / 2) continue;
    const Tile tile(0, half * kHalf, across * kWord, items.in.n, items.in.n);
    typename Items::Value overlap[kRowsEach][2];
    items.values(tile, shared, overlap);
    const int column = Tile::own_column();
#pragma unroll
    for (int r = 0; r < kRowsEach; ++r) {
      if (Tile::own_row() + r >= tile.rows) break;
      const int64_t row = tile.row + Tile::own_row() + r;
      uint64_t word = 0;
#pragma unroll
      for (int c = 0; c < 2; ++c) {
        const bool over = column + 32 * c < tile.columns && overlap[r][c] > items.in.threshold;
        word |= static_cast<uint64_t>(__ballot_sync(kWholeWarp, over)) << 32 * c;
      }
      if (across == half / 2) {  // on the diagonal, where the item's own bit tells of numbers that are not finite
        const uint64_t own = uint64_t{1} << row % kWord;
        const bool sound = __all_sync(kWholeWarp, items.lane_finite(items.order[row]));
        word = sound ? word & ~own : word | own;
      }
      if (column == 0) mask[row * words + across] = word;
    }
  }
}

template <typename Items>
int greedy_nms(const Items& items, uint64_t* mask, int64_t* kept, int64_t* status, int device, void* stream) {
  const int64_t n = items.in.n, words = (n + kWord - 1) / kWord, down = (n + kHalf - 1) / kHalf;
  DeviceGuard guard(device);
  if (guard.status() != cudaSuccess) return guard.status();
  if (n > 0) {
    const cudaError_t launched = launch(mask_kernel<Items>, grid_size(down * words, 1), kTileThreads,
                                        items.shared_bytes(), stream, items, mask, down, words);
    if (launched != cudaSuccess) return launched;
  }
  return sweep_mask(mask, items.order, n, kept, status, stream);
}

}  // namespace

template <typename T>
int tube_nms_cuda(const TubeNmsInputs<T>& in, const int64_t* order, uint64_t* mask, int64_t* kept, int64_t* status,
                  int device, void* stream) {
  return greedy_nms(TubeItems<T>{in, order}, mask, kept, status, device, stream);
}

template <typename T>
int oks_nms_cuda(const PoseNmsInputs<T>& in, const int64_t* order, uint64_t* mask, int64_t* kept, int64_t* status,
                 int device, void* stream) {
  return greedy_nms(PoseItems<T>{in, order}, mask, kept, status, device, stream);
}

template int tube_nms_cuda(const TubeNmsInputs<float>&, const int64_t*, uint64_t*, int64_t*, int64_t*, int, void*);
template int tube_nms_cuda(const TubeNmsInputs<double>&, const int64_t*, uint64_t*, int64_t*, int64_t*, int, void*);
template int oks_nms_cuda(const PoseNmsInputs<float>&, const int64_t*, uint64_t*, int64_t*, int64_t*, int, void*);
template int oks_nms_cuda(const PoseNmsInputs<double>&, const int64_t*, uint64_t*, int64_t*, int64_t*, int, void*);

}  // namespace ptfast
