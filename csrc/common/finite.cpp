#include "common/finite.h"

#include "common/simd.h"

namespace ptfast {
namespace {

template <typename T>
PTFAST_INLINE bool any_not_finite(const T* values, int64_t n) {
  int any = 0;
  for (int64_t i = 0; i < n; ++i) any |= values[i] - values[i] != T(0);
  return any != 0;
}

}  // namespace

PTFAST_CLONES bool all_finite(const float* values, int64_t n) { return !any_not_finite(values, n); }
PTFAST_CLONES bool all_finite(const double* values, int64_t n) { return !any_not_finite(values, n); }

}  // namespace ptfast
