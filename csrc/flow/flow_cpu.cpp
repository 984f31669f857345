#include "common/parallel.h"
#include "common/simd.h"
#include "flow/flow.h"
#include "flow/flow_math.h"

namespace ptfast {
namespace {

// Points worth a thread. A look-up is four loads from anywhere in the flow and little arithmetic, so the loops have no
// clones for instruction sets.
constexpr int64_t kGrain = 20000;

}  // namespace

template <typename T>
void sample_flow_cpu(const FlowInputs<T>& in, T* values, bool* inside) {
  parallel_for(in.n, kGrain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) flow_sample(in, i, values + 2 * i, inside + i);
  });
}

template <typename T>
void sample_flow_backward_cpu(const T* grad_values, const FlowInputs<T>& in, T* grad_points, int64_t* pixels,
                              T* contributions) {
  parallel_for(in.n, kGrain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      flow_gradient(in, i, grad_values + 2 * i, grad_points + 2 * i, pixels + 4 * i, contributions + 8 * i);
  });
}

template void sample_flow_cpu(const FlowInputs<float>&, float*, bool*);
template void sample_flow_cpu(const FlowInputs<double>&, double*, bool*);
template void sample_flow_backward_cpu(const float*, const FlowInputs<float>&, float*, int64_t*, float*);
template void sample_flow_backward_cpu(const double*, const FlowInputs<double>&, double*, int64_t*, double*);

}  // namespace ptfast
