#include <algorithm>
#include <vector>

#include "boxes/boxes.h"
#include "boxes/boxes_math.h"
#include "common/parallel.h"
#include "common/simd.h"

namespace ptfast {
namespace {

constexpr int64_t kColumns = 128;  // tubes packed together
constexpr int64_t kRows = 128;     // rows that share one packing

// One frame of up to kColumns tubes, one array for each number, so that lanes run over tubes.
template <typename T>
struct PackedBoxes {
  T x1[kColumns], y1[kColumns], x2[kColumns], y2[kColumns], area[kColumns];
  T valid[kColumns];  // 1 or 0

  PTFAST_HD Box<T> at(int64_t j) const { return {x1[j], y1[j], x2[j], y2[j], area[j]}; }
};

// Up to kColumns tubes of b, frame by frame. Lanes past `width` keep old numbers, and their results are dropped.
template <typename T>
struct PackedTubes {
  std::vector<PackedBoxes<T>> frames;  // [t]
  int64_t width = 0;
  bool all_valid = true;

  // boxes: [count, t, 4], valid: [count, t] or null
  PTFAST_INLINE void pack(const T* boxes, const uint8_t* valid, int64_t count, int64_t t) {
    width = std::min(kColumns, count);
    if (static_cast<int64_t>(frames.size()) < t) frames.resize(t);
    all_valid = valid == nullptr || std::find(valid, valid + width * t, 0) == valid + width * t;
    for (int64_t f = 0; f < t; ++f) {
      PackedBoxes<T>& frame = frames[f];
      for (int64_t j = 0; j < width; ++j) {
        const T* p = boxes + (j * t + f) * 4;
        const Box<T> box = Box<T>::from(p[0], p[1], p[2], p[3]);
        frame.x1[j] = box.x1, frame.y1[j] = box.y1, frame.x2[j] = box.x2, frame.y2[j] = box.y2;
        frame.area[j] = box.area;
      }
      if (all_valid) continue;
      for (int64_t j = 0; j < width; ++j) frame.valid[j] = T(valid[j * t + f] != 0);
    }
  }
};

// out[j] = mean IoU of tube a and columns block .. block + kBlock. Sums stay in registers over all frames. A frame that
// is invalid in b is dropped by a select, one that is invalid in a by a branch, which is the same for all lanes.
template <typename T, bool kAllValid>
PTFAST_INLINE void iou_block(const Box<T>* a,         // [t]
                             const uint8_t* a_valid,  // [t] or null
                             const PackedTubes<T>& b, int64_t block, int64_t t, T* __restrict__ out) {
  T sum[kBlock] = {};
  for (int64_t f = 0; f < t; ++f) {
    if (a_valid != nullptr && a_valid[f] == 0) continue;
    const PackedBoxes<T>& frame = b.frames[f];
    PTFAST_LANES
    for (int64_t j = 0; j < kBlock; ++j) {
      const T valid = kAllValid ? T(1) : frame.valid[block + j];
      const T iou = box_iou(a[f], frame.at(block + j));
      sum[j] += valid != T(0) ? iou : T(0);
    }
  }
  PTFAST_LANES
  for (int64_t j = 0; j < kBlock; ++j) out[j] = t == 1 ? sum[j] : sum[j] / T(t);
}

// One row of the matrix. The last block goes by way of a buffer, so that no column past `width` is written.
template <typename T, bool kAllValid>
PTFAST_INLINE void iou_row(const Box<T>* a, const uint8_t* valid, const PackedTubes<T>& b, int64_t t,
                           T* __restrict__ out) {
  int64_t block = 0;
  for (; block + kBlock <= b.width; block += kBlock) iou_block<T, kAllValid>(a, valid, b, block, t, out + block);
  if (block == b.width) return;
  T last[kBlock];
  iou_block<T, kAllValid>(a, valid, b, block, t, last);
  for (int64_t j = 0; j < b.width - block; ++j) out[block + j] = last[j];
}

// Tiles [begin, end) of the batch. Tile i is row block i % row_blocks of problem i / row_blocks, over all columns.
template <typename T>
PTFAST_INLINE void iou_tiles(const TubeInputs<T>& in, T* out, int64_t begin, int64_t end) {
  static thread_local PackedTubes<T> packed;
  static thread_local std::vector<Box<T>> own;
  const auto& s = in.shape;
  own.resize(s.t);
  const int64_t row_blocks = (s.n + kRows - 1) / kRows;
  for (int64_t tile = begin; tile < end; ++tile) {
    const int64_t problem = tile / row_blocks, first_row = problem * s.n + tile % row_blocks * kRows;
    const int64_t last_row = std::min(first_row + kRows, (problem + 1) * s.n);
    for (int64_t first = 0; first < s.m; first += kColumns) {
      const int64_t column = problem * s.m + first;
      packed.pack(in.b + column * s.t * 4, in.b_valid == nullptr ? nullptr : in.b_valid + column * s.t, s.m - first,
                  s.t);
      for (int64_t row = first_row; row < last_row; ++row) {
        for (int64_t f = 0; f < s.t; ++f) {
          const T* p = in.a + (row * s.t + f) * 4;
          own[f] = Box<T>::from(p[0], p[1], p[2], p[3]);
        }
        const uint8_t* valid = in.a_valid == nullptr ? nullptr : in.a_valid + row * s.t;
        T* result = out + row * s.m + first;
        if (packed.all_valid)
          iou_row<T, true>(own.data(), valid, packed, s.t, result);
        else
          iou_row<T, false>(own.data(), valid, packed, s.t, result);
      }
    }
  }
}

PTFAST_CLONES void run_tiles(const TubeInputs<float>& in, float* out, int64_t begin, int64_t end) {
  iou_tiles(in, out, begin, end);
}
PTFAST_CLONES void run_tiles(const TubeInputs<double>& in, double* out, int64_t begin, int64_t end) {
  iou_tiles(in, out, begin, end);
}

}  // namespace

template <typename T>
void tube_iou_matrix_cpu(const TubeInputs<T>& in, T* out) {
  const auto& s = in.shape;
  const int64_t tiles = s.batch * ((s.n + kRows - 1) / kRows);
  const int64_t boxes_a_tile = std::max<int64_t>(1, std::min(s.n, kRows) * s.m * s.t);
  parallel_for(tiles, std::max<int64_t>(1, 500000 / boxes_a_tile),
               [&](int64_t begin, int64_t end) { run_tiles(in, out, begin, end); });
}

// A box is a tube of one frame.
template <typename T>
void iou_matrix_cpu(const T* a, const T* b, const BoxesShape& s, T* out) {
  tube_iou_matrix_cpu<T>({a, b, nullptr, nullptr, {s.batch, s.n, s.m, 1}}, out);
}

template void tube_iou_matrix_cpu(const TubeInputs<float>&, float*);
template void tube_iou_matrix_cpu(const TubeInputs<double>&, double*);
template void iou_matrix_cpu(const float*, const float*, const BoxesShape&, float*);
template void iou_matrix_cpu(const double*, const double*, const BoxesShape&, double*);

}  // namespace ptfast
