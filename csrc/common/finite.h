#pragma once
#include <cstdint>

namespace ptfast {

// True where no value is NaN or infinite. values: [n]
bool all_finite(const float* values, int64_t n);
bool all_finite(const double* values, int64_t n);

}  // namespace ptfast
