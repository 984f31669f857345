#include <algorithm>
#include <cmath>
#include <vector>

#include "common/parallel.h"
#include "common/simd.h"
#include "oks/oks.h"
#include "oks/oks_grad.h"
#include "oks/oks_math.h"

namespace ptfast {
namespace {

constexpr int64_t kLanes = 16;    // one AVX-512 register of floats; other instruction sets take several
constexpr int64_t kColumns = 64;  // columns packed together: with k = 17 they stay in the first-level cache
constexpr int64_t kRows = 64;     // rows that share one packing

// Up to kColumns poses of b, joint by joint, so that lanes run over poses. Joints that do not count have weight 0 and
// coordinates 0, which keeps a NaN there out of the sum.
template <typename T>
struct PackedColumns {
  std::vector<T> x, y, weight;          // [k, kColumns]
  T area[kColumns], inverse[kColumns];  // inverse: 1 / area, 0 where the area is not positive
  int64_t width = 0, padded = 0;
  bool all_visible = true;

  void pack(const OksInputs<T>& in, int64_t problem, int64_t first) {
    const auto& s = in.shape;
    width = std::min(kColumns, s.m - first);
    padded = (width + kLanes - 1) / kLanes * kLanes;
    x.assign(s.k * kColumns, T(0));
    y.assign(s.k * kColumns, T(0));
    weight.assign(s.k * kColumns, T(0));
    all_visible = true;
    for (int64_t j = 0; j < padded; ++j) {
      const int64_t row = problem * s.m + first + std::min(j, width - 1);
      area[j] = in.area_b[row];
      for (int64_t k = 0; k < s.k; ++k) {
        const bool visible = in.b_visible == nullptr || in.b_visible[row * s.k + k] != 0;
        all_visible &= visible;
        if (!visible) continue;
        x[k * kColumns + j] = in.b[(row * s.k + k) * 2];
        y[k * kColumns + j] = in.b[(row * s.k + k) * 2 + 1];
        weight[k * kColumns + j] = T(1);
      }
    }
  }
};

// sum[j] = sum over the joints visible in both of the OKS term of pose a and column j; count[j] = how many they are.
template <typename T>
inline __attribute__((always_inline)) void oks_row(const T* a,              // [k, 2]
                                                   const uint8_t* visible,  // [k] or null
                                                   const T* factors,        // [k]
                                                   const PackedColumns<T>& b, const T* inverse, int64_t k_count, T* sum,
                                                   T* count) {
  for (int64_t j = 0; j < b.padded; ++j) sum[j] = count[j] = T(0);
  for (int64_t k = 0; k < k_count; ++k) {
    if (visible != nullptr && visible[k] == 0) continue;
    const T ax = a[2 * k], ay = a[2 * k + 1], factor = factors[k];
    const T *x = &b.x[k * kColumns], *y = &b.y[k * kColumns], *weight = &b.weight[k * kColumns];
    for (int64_t block = 0; block < b.padded; block += kLanes)
      for (int64_t j = block; j < block + kLanes; ++j) {
        sum[j] += weight[j] * oks_term(ax - x[j], ay - y[j], factor * inverse[j]);
        count[j] += weight[j];
      }
  }
}

// Same, where every column has all its joints: the weights fall away.
template <typename T>
inline __attribute__((always_inline)) void oks_row_all_visible(const T* a, const uint8_t* visible, const T* factors,
                                                               const PackedColumns<T>& b, const T* inverse,
                                                               int64_t k_count, T* sum, T* count) {
  T joints = T(0);
  for (int64_t j = 0; j < b.padded; ++j) sum[j] = T(0);
  for (int64_t k = 0; k < k_count; ++k) {
    if (visible != nullptr && visible[k] == 0) continue;
    joints += T(1);
    const T ax = a[2 * k], ay = a[2 * k + 1], factor = factors[k];
    const T *x = &b.x[k * kColumns], *y = &b.y[k * kColumns];
    for (int64_t block = 0; block < b.padded; block += kLanes)
      for (int64_t j = block; j < block + kLanes; ++j) sum[j] += oks_term(ax - x[j], ay - y[j], factor * inverse[j]);
  }
  for (int64_t j = 0; j < b.padded; ++j) count[j] = joints;
}

// Whether the joints visible in both poses all coincide.
template <typename T>
bool coincide(const T* a, const T* b, const uint8_t* a_visible, const uint8_t* b_visible, int64_t k_count) {
  for (int64_t k = 0; k < k_count; ++k) {
    if ((a_visible != nullptr && a_visible[k] == 0) || (b_visible != nullptr && b_visible[k] == 0)) continue;
    if (a[2 * k] != b[2 * k] || a[2 * k + 1] != b[2 * k + 1]) return false;
  }
  return true;
}

template <typename T>
inline __attribute__((always_inline)) void oks_tile(const OksInputs<T>& in, const T* factors, PackedColumns<T>& packed,
                                                    int64_t problem, int64_t first_row, int64_t rows, int64_t first,
                                                    T* out) {
  const auto& s = in.shape;
  packed.pack(in, problem, first);
  T sum[kColumns], count[kColumns], inverse[kColumns];
  bool degenerate = false;
  for (int64_t row = problem * s.n + first_row, last = row + rows; row < last; ++row) {
    const T own = in.area_a == nullptr ? T(0) : in.area_a[row];
    if (in.area_a != nullptr || row == problem * s.n + first_row) {
      degenerate = false;
      for (int64_t j = 0; j < packed.padded; ++j) {
        const T area = in.area_a == nullptr ? packed.area[j] : (own + packed.area[j]) * T(0.5);
        inverse[j] = area > T(0) ? T(1) / area : T(0);
        degenerate |= !(area > T(0));
      }
    }
    const uint8_t* visible = in.a_visible == nullptr ? nullptr : in.a_visible + row * s.k;
    const T* a = in.a + row * s.k * 2;
    if (packed.all_visible)
      oks_row_all_visible(a, visible, factors, packed, inverse, s.k, sum, count);
    else
      oks_row(a, visible, factors, packed, inverse, s.k, sum, count);
    T* result = out + row * s.m + first;
    for (int64_t j = 0; j < packed.width; ++j) result[j] = count[j] > T(0) ? sum[j] / count[j] : T(0);
    if (!degenerate) continue;
    for (int64_t j = 0; j < packed.width; ++j) {
      if (inverse[j] != T(0) || !(count[j] > T(0))) continue;
      const int64_t column = problem * s.m + first + j;
      const uint8_t* b_visible = in.b_visible == nullptr ? nullptr : in.b_visible + column * s.k;
      result[j] = coincide(a, in.b + column * s.k * 2, visible, b_visible, s.k) ? T(1) : T(0);
    }
  }
}

// Tiles [begin, end) of the batch: tile t is row block t % row_blocks of problem t / row_blocks, over all columns.
template <typename T>
inline __attribute__((always_inline)) void oks_tiles(const OksInputs<T>& in, const T* factors, T* out, int64_t begin,
                                                     int64_t end) {
  static thread_local PackedColumns<T> packed;
  const auto& s = in.shape;
  const int64_t row_blocks = (s.n + kRows - 1) / kRows;
  for (int64_t tile = begin; tile < end; ++tile) {
    const int64_t problem = tile / row_blocks, first_row = tile % row_blocks * kRows;
    for (int64_t first = 0; first < s.m; first += kColumns)
      oks_tile(in, factors, packed, problem, first_row, std::min(kRows, s.n - first_row), first, out);
  }
}

PTFAST_CLONES void oks_tiles_f32(const OksInputs<float>& in, const float* factors, float* out, int64_t begin,
                                 int64_t end) {
  oks_tiles(in, factors, out, begin, end);
}
PTFAST_CLONES void oks_tiles_f64(const OksInputs<double>& in, const double* factors, double* out, int64_t begin,
                                 int64_t end) {
  oks_tiles(in, factors, out, begin, end);
}
void run_tiles(const OksInputs<float>& in, const float* factors, float* out, int64_t begin, int64_t end) {
  oks_tiles_f32(in, factors, out, begin, end);
}
void run_tiles(const OksInputs<double>& in, const double* factors, double* out, int64_t begin, int64_t end) {
  oks_tiles_f64(in, factors, out, begin, end);
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

template <typename T>
void oks_matrix_backward_cpu(const OksInputs<T>& in, const T* grad_out, T* grad_a, T* grad_b) {
  const auto& s = in.shape;
  const int64_t cost = std::max<int64_t>(1, 20000 / std::max<int64_t>(1, s.k));
  parallel_for(s.batch * s.n, std::max<int64_t>(1, cost / std::max<int64_t>(1, s.m)), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) oks_gradient_row<T, false>(in, grad_out, row, grad_a + row * s.k * 2);
  });
  parallel_for(s.batch * s.m, std::max<int64_t>(1, cost / std::max<int64_t>(1, s.n)), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) oks_gradient_row<T, true>(in, grad_out, row, grad_b + row * s.k * 2);
  });
}

template void oks_matrix_cpu(const OksInputs<float>&, float*);
template void oks_matrix_cpu(const OksInputs<double>&, double*);
template void oks_matrix_backward_cpu(const OksInputs<float>&, const float*, float*, float*);
template void oks_matrix_backward_cpu(const OksInputs<double>&, const double*, double*, double*);

}  // namespace ptfast
