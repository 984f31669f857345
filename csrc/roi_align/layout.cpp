#include "roi_align/layout.h"

#include <algorithm>
#include <type_traits>

#include "common/half.h"
#include "common/simd.h"

namespace ptfast {
namespace {

constexpr int64_t kSide = 16;  // of the blocks that are transposed in registers
typedef float Lanes __attribute__((vector_size(64)));
typedef int Places __attribute__((vector_size(64)));

// One of four rounds of a transposition in registers: exchanges the off-diagonal parts, kDistance wide, of two rows so
// far apart. After distances of 8, 4, 2 and 1 every element has crossed the diagonal, by 64 shuffles instead of 256
// loads and stores of single numbers.
template <int kDistance>
PTFAST_INLINE void exchange(Lanes& a, Lanes& b) {
  const Lanes x = a, y = b;
#ifdef __clang__
  for (int k = 0; k < kSide; ++k) {
    a[k] = k & kDistance ? y[(k - kDistance) & (kSide - 1)] : x[k];
    b[k] = k & kDistance ? y[k] : x[(k + kDistance) & (kSide - 1)];
  }
#else
#define PTFAST_A(k) ((k) & kDistance ? kSide + (k) - kDistance : (k))
#define PTFAST_B(k) ((k) & kDistance ? kSide + (k) : (k) + kDistance)
#define PTFAST_PLACES(f) \
  Places{f(0), f(1), f(2), f(3), f(4), f(5), f(6), f(7), f(8), f(9), f(10), f(11), f(12), f(13), f(14), f(15)}
  a = __builtin_shuffle(x, y, PTFAST_PLACES(PTFAST_A));
  b = __builtin_shuffle(x, y, PTFAST_PLACES(PTFAST_B));
#undef PTFAST_A
#undef PTFAST_B
#undef PTFAST_PLACES
#endif
}

template <int kDistance>
PTFAST_INLINE void exchange_all(Lanes* rows) {
  for (int i = 0; i < kSide; ++i)
    if (!(i & kDistance)) exchange<kDistance>(rows[i], rows[i + kDistance]);
}

// to[j * stride_to + i] = from[i * stride_from + j] for a block of 16 x 16.
template <typename S, typename D>
PTFAST_INLINE void transpose_block(const S* from, int64_t stride_from, D* to, int64_t stride_to) {
  Lanes rows[kSide];
  for (int64_t i = 0; i < kSide; ++i)
    for (int64_t j = 0; j < kSide; ++j) rows[i][j] = widen(from[i * stride_from + j]);
  exchange_all<8>(rows);
  exchange_all<4>(rows);
  exchange_all<2>(rows);
  exchange_all<1>(rows);
  for (int64_t j = 0; j < kSide; ++j)
    for (int64_t i = 0; i < kSide; ++i) narrow(rows[j][i], to + j * stride_to + i);
}

// A copy by any strides, number by number.
template <typename S, typename D>
PTFAST_INLINE void copy_any(const Matrix<const S>& from, const Matrix<D>& to) {
  for (int64_t i = 0; i < to.n; ++i)
    for (int64_t j = 0; j < to.m; ++j)
      narrow(widen(from.data[i * from.row + j * from.column]), to.data + i * to.row + j * to.column);
}

template <typename S, typename D>
PTFAST_INLINE void copy_rows(const Matrix<const S>& from, const Matrix<D>& to) {
  for (int64_t i = 0; i < to.n; ++i)
    for (int64_t j = 0; j < to.m; ++j) narrow(widen(from.data[i * from.row + j]), to.data + i * to.row + j);
}

// From contiguous rows to contiguous columns, n and m at least 16. The last blocks overlap those before them, so that
// there is no remainder.
template <typename S, typename D>
PTFAST_INLINE void transpose_blocks(const Matrix<const S>& from, const Matrix<D>& to) {
  for (int64_t i = 0; i < to.n; i += kSide)
    for (int64_t j = 0; j < to.m; j += kSide) {
      const int64_t row = std::min(i, to.n - kSide), column = std::min(j, to.m - kSide);
      transpose_block(from.data + row * from.row + column, from.row, to.data + column * to.column + row, to.column);
    }
}

template <typename S, typename D>
PTFAST_INLINE void copy_one_way(const Matrix<const S>& from, const Matrix<D>& to) {
  if (from.column == 1 && to.column == 1) return copy_rows(from, to);
  if constexpr (sizeof(S) <= 4 && sizeof(D) <= 4)
    if (from.column == 1 && to.row == 1 && to.n >= kSide && to.m >= kSide) return transpose_blocks(from, to);
  copy_any(from, to);
}

// target_clones does not apply to templates.
#define PTFAST_COPY(S, D) \
  PTFAST_CLONES void copy(const Matrix<const S>& from, const Matrix<D>& to) { copy_one_way(from, to); }
PTFAST_COPY(float, float)
PTFAST_COPY(double, double)
PTFAST_COPY(Half, float)
PTFAST_COPY(float, Half)
PTFAST_COPY(BFloat16, float)
PTFAST_COPY(float, BFloat16)
#undef PTFAST_COPY

}  // namespace

template <typename S, typename D>
void copy_matrix(const Matrix<const S>& from, const Matrix<D>& to) {
  // Rows and columns may change places on both sides at once.
  if (from.row == 1 && from.column != 1)
    return copy(Matrix<const S>{from.data, from.m, from.n, from.column, from.row},
                Matrix<D>{to.data, to.m, to.n, to.column, to.row});
  copy(from, to);
}

template void copy_matrix(const Matrix<const float>&, const Matrix<float>&);
template void copy_matrix(const Matrix<const double>&, const Matrix<double>&);
template void copy_matrix(const Matrix<const Half>&, const Matrix<float>&);
template void copy_matrix(const Matrix<const float>&, const Matrix<Half>&);
template void copy_matrix(const Matrix<const BFloat16>&, const Matrix<float>&);
template void copy_matrix(const Matrix<const float>&, const Matrix<BFloat16>&);

}  // namespace ptfast
