#pragma once
#include <cstdint>

namespace ptfast {

// Evaluates exp2_unit `count` times, in float, on values that stay in the first-level cache, with as many threads as
// parallel_for takes; returns a sum that keeps the work from being optimised away. Benchmarks time it: no kernel that
// needs an exponential a term can be faster.
float probe_exp(int64_t count);

}  // namespace ptfast
