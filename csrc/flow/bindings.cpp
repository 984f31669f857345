#include "common/bindings.h"

#include "flow/flow.h"

namespace ptfast {
namespace {

using Sizes = std::array<int64_t, 3>;       // height, width, points
using Incoming = std::array<uintptr_t, 3>;  // grad_values, flow, points
using Outgoing = std::array<uintptr_t, 3>;  // grad_points, pixels, contributions

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
        },
        "flow"_a, "points"_a, "sizes"_a, "values"_a, "inside"_a);
  m.def(("sample_flow_backward_cpu_" + dtype).c_str(),
        [](const Incoming& in, const Sizes& s, const Outgoing& out) {
          py::gil_scoped_release release;
          sample_flow_backward_cpu(pointer<const T>(in[0]), inputs<T>(in[1], in[2], s), pointer<T>(out[0]),
                                   pointer<int64_t>(out[1]), pointer<T>(out[2]));
        },
        "inputs"_a, "sizes"_a, "outputs"_a);
#if PTFAST_WITH_CUDA
  m.def(("sample_flow_cuda_" + dtype).c_str(),
        [](uintptr_t flow, uintptr_t points, const Sizes& s, uintptr_t values, uintptr_t inside, int device,
           uintptr_t stream) {
          return sample_flow_cuda(inputs<T>(flow, points, s), pointer<T>(values), pointer<bool>(inside), device,
                                  pointer<void>(stream));
        },
        "flow"_a, "points"_a, "sizes"_a, "values"_a, "inside"_a, "device"_a, "stream"_a);
  m.def(("sample_flow_backward_cuda_" + dtype).c_str(),
        [](const Incoming& in, const Sizes& s, const Outgoing& out, int device, uintptr_t stream) {
          return sample_flow_backward_cuda(pointer<const T>(in[0]), inputs<T>(in[1], in[2], s), pointer<T>(out[0]),
                                           pointer<int64_t>(out[1]), pointer<T>(out[2]), device, pointer<void>(stream));
        },
        "inputs"_a, "sizes"_a, "outputs"_a, "device"_a, "stream"_a);
#endif
}

}  // namespace

void bind_flow(py::module_& m) {
  bind_dtype<float>(m, "float32");
  bind_dtype<double>(m, "float64");
}

}  // namespace ptfast
