#include "boxes/boxes.h"
#include "boxes/iou_tile.h"

namespace ptfast {
namespace {

// The pairs of pair_matrix.h. Both sides are tubes as they are in memory, in their own order.
template <typename T>
struct TubePairs {
  using Value = T;
  static constexpr int kRowsEach = 8;  // rows a thread owns in large tiles
  TubeInputs<T> in;

  template <typename Tile>
  size_t shared_bytes() const {
    return IouTile<T>::template shared_bytes<Tile>();
  }

  template <typename Tile, typename Values>
  __device__ void values(const Tile& tile, unsigned char* shared, Values& values) const {
    const TubeSide<T> a{in.a, in.a_valid, nullptr, tile.problem * in.shape.n + tile.row, tile.rows};
    const TubeSide<T> b{in.b, in.b_valid, nullptr, tile.problem * in.shape.m + tile.column, tile.columns};
    IouTile<T>{a, b, in.shape.t}.values(tile, shared, values);
  }
};

}  // namespace

template <typename T>
int tube_iou_matrix_cuda(const TubeInputs<T>& in, T* out, int device, void* stream) {
  return fill_pairs(TubePairs<T>{in}, out, device, stream);
}

// A box is a tube of one frame.
template <typename T>
int iou_matrix_cuda(const T* a, const T* b, const BoxesShape& s, T* out, int device, void* stream) {
  return tube_iou_matrix_cuda<T>({a, b, nullptr, nullptr, {s.batch, s.n, s.m, 1}}, out, device, stream);
}

template int tube_iou_matrix_cuda(const TubeInputs<float>&, float*, int, void*);
template int tube_iou_matrix_cuda(const TubeInputs<double>&, double*, int, void*);
template int iou_matrix_cuda(const float*, const float*, const BoxesShape&, float*, int, void*);
template int iou_matrix_cuda(const double*, const double*, const BoxesShape&, double*, int, void*);

}  // namespace ptfast
