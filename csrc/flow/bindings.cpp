#include "common/bindings.h"

#include <string>

#include "flow/flow.h"

namespace ptfast {
namespace {

using Sizes = std::array<int64_t, 3>;  // height, width, points

template <typename T>
FlowInputs<T> inputs(uintptr_t flow, uintptr_t points, const Sizes& s) {
  return {pointer<const T>(flow), pointer<const T>(points), s[0], s[1], s[2]};
}

template <typename T>
void bind_dtype(py::module_& m, const std::string& dtype) {
  m.def(("sample_flow_cpu_" + dtype).c_str(),
        [](uintptr_t flow, uintptr_t points, const Sizes& s, uintptr_t values, uintptr_t inside) {
          py::gil_scoped_release release;
          sample_flow_cpu(inputs<T>(flow, points, s), pointer<T>(values), pointer<bool>(inside));
        });
  m.def(("sample_flow_backward_cpu_" + dtype).c_str(),
        [](uintptr_t flow, uintptr_t points, const Sizes& s, uintptr_t grad, uintptr_t grad_points, uintptr_t pixels,
           uintptr_t contributions) {
          py::gil_scoped_release release;
          sample_flow_backward_cpu(inputs<T>(flow, points, s), pointer<const T>(grad), pointer<T>(grad_points),
                                   pointer<int64_t>(pixels), pointer<T>(contributions));
        });
#if PTFAST_WITH_CUDA
  m.def(("sample_flow_cuda_" + dtype).c_str(), [](uintptr_t flow, uintptr_t points, const Sizes& s, uintptr_t values,
                                                  uintptr_t inside, int device, uintptr_t stream) {
    return sample_flow_cuda(inputs<T>(flow, points, s), pointer<T>(values), pointer<bool>(inside), device,
                            pointer<void>(stream));
  });
  m.def(("sample_flow_backward_cuda_" + dtype).c_str(),
        [](uintptr_t flow, uintptr_t points, const Sizes& s, uintptr_t grad, uintptr_t grad_points, uintptr_t pixels,
           uintptr_t contributions, int device, uintptr_t stream) {
          return sample_flow_backward_cuda(inputs<T>(flow, points, s), pointer<const T>(grad), pointer<T>(grad_points),
                                           pointer<int64_t>(pixels), pointer<T>(contributions), device,
                                           pointer<void>(stream));
        });
#endif
}

}  // namespace

void bind_flow(py::module_& m) {
  bind_dtype<float>(m, "float32");
  bind_dtype<double>(m, "float64");
}

}  // namespace ptfast
