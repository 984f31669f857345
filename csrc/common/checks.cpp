#include "common/checks.h"

#include <limits>
#include <stdexcept>
#include <string>

namespace ptfast {
namespace {

constexpr int64_t kLargest = std::numeric_limits<int64_t>::max();

[[noreturn]] void fail(const char* name, const std::string& text) { throw std::invalid_argument(name + text); }

}  // namespace

void check_offsets(const char* name, const int64_t* offsets, int64_t runs, int64_t count) {
  bool good = runs >= 0 && offsets[0] == 0 && offsets[runs] == count;
  for (int64_t i = 0; good && i < runs; ++i) good = offsets[i] <= offsets[i + 1];
  if (!good) fail(name, " must rise from 0 to " + std::to_string(count));
}

void check_index(const char* name, const int64_t* index, int64_t n, int64_t count) {
  for (int64_t i = 0; i < n; ++i)
    if (index[i] < 0 || index[i] >= count)
      fail(name, " must be at least 0 and below " + std::to_string(count) + ", got " + std::to_string(index[i]) +
                     " at " + std::to_string(i));
}

void check_size(const char* name, int64_t size, int64_t expected) {
  if (size != expected) fail(name, " must hold " + std::to_string(expected) + " entries, got " + std::to_string(size));
}

int64_t checked_product(const char* name, int64_t a, int64_t b) {
  if (a < 0 || b < 0 || (b > 0 && a > kLargest / b))
    fail(name, " must not be negative and must fit 64 bits, got " + std::to_string(a) + " x " + std::to_string(b));
  return a * b;
}

int64_t checked_sum(const char* name, int64_t a, int64_t b) {
  if (a < 0 || b < 0 || a > kLargest - b)
    fail(name, " must not be negative and must fit 64 bits, got " + std::to_string(a) + " + " + std::to_string(b));
  return a + b;
}

}  // namespace ptfast
