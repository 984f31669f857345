#include "common/bindings.h"

#include <string>

#include "oks/oks.h"

namespace ptfast {
namespace {

// Addresses in the order of OksInputs' fields, then its sizes.
using Addresses = std::array<uintptr_t, 7>;
using Sizes = std::array<int64_t, 4>;

template <typename T>
OksInputs<T> inputs(const Addresses& p, const Sizes& s) {
  return {pointer<const T>(p[0]), pointer<const T>(p[1]),       pointer<const T>(p[2]),       pointer<const T>(p[3]),
          pointer<const T>(p[4]), pointer<const uint8_t>(p[5]), pointer<const uint8_t>(p[6]), {s[0], s[1], s[2], s[3]}};
}

template <typename T>
void bind_dtype(py::module_& m, const std::string& dtype) {
  m.def(("oks_matrix_cpu_" + dtype).c_str(), [](const Addresses& in, const Sizes& shape, uintptr_t out) {
    py::gil_scoped_release release;
    oks_matrix_cpu(inputs<T>(in, shape), pointer<T>(out));
  });
  m.def(("oks_matrix_backward_cpu_" + dtype).c_str(), [](const Addresses& in, const Sizes& shape, uintptr_t grad_out,
                                                         uintptr_t grad_a, uintptr_t grad_b) {
    py::gil_scoped_release release;
    oks_matrix_backward_cpu(inputs<T>(in, shape), pointer<const T>(grad_out), pointer<T>(grad_a), pointer<T>(grad_b));
  });
#if PTFAST_WITH_CUDA
  m.def(("oks_matrix_cuda_" + dtype).c_str(),
        [](const Addresses& in, const Sizes& shape, uintptr_t out, int device, uintptr_t stream) {
          return oks_matrix_cuda(inputs<T>(in, shape), pointer<T>(out), device, pointer<void>(stream));
        });
  m.def(("oks_matrix_backward_cuda_" + dtype).c_str(),
        [](const Addresses& in, const Sizes& shape, uintptr_t grad_out, uintptr_t grad_a, uintptr_t grad_b, int device,
           uintptr_t stream) {
          return oks_matrix_backward_cuda(inputs<T>(in, shape), pointer<const T>(grad_out), pointer<T>(grad_a),
                                          pointer<T>(grad_b), device, pointer<void>(stream));
        });
#endif
}

}  // namespace

void bind_oks(py::module_& m) {
  bind_dtype<float>(m, "float32");
  bind_dtype<double>(m, "float64");
}

}  // namespace ptfast
