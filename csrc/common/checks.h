#pragma once
#include <cstdint>

namespace ptfast {

// What sizes, offsets and indices promise, checked before memory is reached by them. A broken promise throws
// std::invalid_argument, in Python a ValueError, that names the argument. No difference, sum or product wraps around.

// offsets: [runs + 1], which must rise from 0 to `count`
void check_offsets(const char* name, const int64_t* offsets, int64_t runs, int64_t count);

// index: [n], each at least 0 and below `count`
void check_index(const char* name, const int64_t* index, int64_t n, int64_t count);

// An array's number of entries against the one that sizes ask for.
void check_size(const char* name, int64_t size, int64_t expected);

// a b and a + b, neither of them negative or too large for 64 bits.
int64_t checked_product(const char* name, int64_t a, int64_t b);
int64_t checked_sum(const char* name, int64_t a, int64_t b);

}  // namespace ptfast
