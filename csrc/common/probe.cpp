#include "common/probe.h"

#include <atomic>

#include "common/exp.h"
#include "common/parallel.h"
#include "common/simd.h"

namespace ptfast {
namespace {

constexpr int64_t kValues = 2048;

PTFAST_CLONES void exp_pass(const float* values, float* sums) {
  for (int64_t i = 0; i < kValues; ++i) sums[i] += exp2_unit(values[i]);
}

}  // namespace

float probe_exp(int64_t count) {
  std::atomic<float> total{0.f};
  parallel_for(count / kValues, 1000, [&](int64_t begin, int64_t end) {
    alignas(64) float values[kValues], sums[kValues] = {};
    for (int64_t i = 0; i < kValues; ++i) values[i] = -100.f * static_cast<float>(i) / kValues;
    for (int64_t pass = begin; pass < end; ++pass) exp_pass(values, sums);
    total.store(sums[0] + sums[kValues - 1]);
  });
  return total.load();
}

}  // namespace ptfast
