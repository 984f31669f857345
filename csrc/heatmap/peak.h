#pragma once
#include <algorithm>
#include <cstring>

#include "common/simd.h"
#include "heatmap/heatmap_math.h"

// All functions are inlined, so no vector crosses a real call.
#pragma GCC diagnostic ignored "-Wpsabi"

namespace ptfast {

// A maximum is found piece by piece, and its place by a second pass over the one piece that holds it, which is still in
// the first-level cache. Carrying places along would add a select to each maximum.
constexpr int64_t kPiece = 1024;

template <typename Real>
struct PeakLanes {
  static constexpr int64_t kSize = 64 / sizeof(Real);
  typedef Real Type __attribute__((vector_size(64)));
};

template <typename T>
PTFAST_INLINE typename PeakLanes<PeakReal<T>>::Type load_lanes(const T* v) {
  PeakReal<T> values[PeakLanes<PeakReal<T>>::kSize];
  for (int64_t j = 0; j < PeakLanes<PeakReal<T>>::kSize; ++j) values[j] = widen(v[j]);
  typename PeakLanes<PeakReal<T>>::Type result;
  std::memcpy(&result, values, sizeof result);
  return result;
}

// The highest of v: [n], NaN aside, or -infinity. Four maxima run side by side, since each waits for its predecessor.
template <typename T>
PTFAST_INLINE PeakReal<T> highest(const T* v, int64_t n) {
  using Real = PeakReal<T>;
  using Lanes = typename PeakLanes<Real>::Type;
  constexpr int64_t kSize = PeakLanes<Real>::kSize;
  Lanes a = Lanes{} + kLowest<Real>, b = a, c = a, d = a;
  int64_t i = 0;
  for (; i + 4 * kSize <= n; i += 4 * kSize) {
    const Lanes p = load_lanes(v + i), q = load_lanes(v + i + kSize), r = load_lanes(v + i + 2 * kSize),
                s = load_lanes(v + i + 3 * kSize);
    a = p > a ? p : a;
    b = q > b ? q : b;
    c = r > c ? r : c;
    d = s > d ? s : d;
  }
  a = b > a ? b : a;
  c = d > c ? d : c;
  a = c > a ? c : a;
  Real best = kLowest<Real>;
  for (int64_t j = 0; j < kSize; ++j) best = a[j] > best ? a[j] : best;
  for (; i < n; ++i) {
    const Real value = widen(v[i]);
    best = value > best ? value : best;
  }
  return best;
}

// The first place of `value` in v: [n], or 0 where v is nothing but NaN. Steps of 64 are compared without a branch.
template <typename T>
PTFAST_INLINE int64_t first_place(const T* v, int64_t n, PeakReal<T> value) {
  constexpr int64_t kStep = 64;
  int64_t i = 0;
  for (; i + kStep <= n; i += kStep) {
    int found = 0;
    PTFAST_LANES
    for (int64_t j = 0; j < kStep; ++j) found |= widen(v[i + j]) == value;
    if (found) break;
  }
  for (; i < n; ++i)
    if (widen(v[i]) == value) return i;
  return 0;
}

// The place of the highest value, the first of equal ones. map: [n]
template <typename T>
PTFAST_INLINE int64_t peak_of(const T* map, int64_t n) {
  PeakReal<T> best = kLowest<PeakReal<T>>;
  int64_t piece = 0;
  for (int64_t i = 0; i < n; i += kPiece) {
    const PeakReal<T> value = highest(map + i, std::min(kPiece, n - i));
    if (value > best) {
      best = value;
      piece = i;
    }
  }
  // A map without a value above -infinity has its peak in any piece.
  const int64_t end = best == kLowest<PeakReal<T>> ? n : std::min(n, piece + kPiece);
  return piece + first_place(map + piece, end - piece, best);
}

}  // namespace ptfast
