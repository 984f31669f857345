#include "common/bindings.h"

#include "oks/oks.h"

namespace ptfast {
namespace {

using Addresses = std::array<uintptr_t, 7>;  // in the order of OksInputs' fields
using Incoming = std::array<uintptr_t, 8>;   // grad_out, then those
using Sizes = std::array<int64_t, 4>;        // batch, n, m, k

template <typename T>
OksInputs<T> inputs(const uintptr_t* p, const Sizes& s) {
  return {pointer<const T>(p[0]), pointer<const T>(p[1]),       pointer<const T>(p[2]),       pointer<const T>(p[3]),
          pointer<const T>(p[4]), pointer<const uint8_t>(p[5]), pointer<const uint8_t>(p[6]), {s[0], s[1], s[2], s[3]}};
}

template <typename T>
void bind_cpu(py::module_& m, const std::string& dtype) {
  m.def(("oks_matrix_cpu_" + dtype).c_str(),
        [](const Addresses& in, const Sizes& sizes, uintptr_t out) {
          py::gil_scoped_release release;
          oks_matrix_cpu(inputs<T>(in.data(), sizes), pointer<T>(out));
        },
        "inputs"_a, "sizes"_a, "out"_a);
  m.def(("oks_matrix_backward_cpu_" + dtype).c_str(),
        [](const Incoming& in, const Sizes& sizes, uintptr_t grad_a, uintptr_t grad_b) {
          py::gil_scoped_release release;
          oks_matrix_backward_cpu(pointer<const T>(in[0]), inputs<T>(in.data() + 1, sizes), pointer<T>(grad_a),
                                  pointer<T>(grad_b));
        },
        "inputs"_a, "sizes"_a, "grad_a"_a, "grad_b"_a);
}

#if PTFAST_WITH_CUDA
template <typename T>
void bind_cuda(py::module_& m, const std::string& dtype) {
  m.def(("oks_matrix_cuda_" + dtype).c_str(),
        [](const Addresses& in, const Sizes& sizes, uintptr_t out, int device, uintptr_t stream) {
          return oks_matrix_cuda(inputs<T>(in.data(), sizes), pointer<T>(out), device, pointer<void>(stream));
        },
        "inputs"_a, "sizes"_a, "out"_a, "device"_a, "stream"_a);
  m.def(("oks_matrix_backward_cuda_" + dtype).c_str(),
        [](const Incoming& in, const Sizes& sizes, uintptr_t grad_a, uintptr_t grad_b, int device, uintptr_t stream) {
          return oks_matrix_backward_cuda(pointer<const T>(in[0]), inputs<T>(in.data() + 1, sizes), pointer<T>(grad_a),
                                          pointer<T>(grad_b), device, pointer<void>(stream));
        },
        "inputs"_a, "sizes"_a, "grad_a"_a, "grad_b"_a, "device"_a, "stream"_a);
}
#endif

template <typename T>
void bind_dtype(py::module_& m, const std::string& dtype) {
  bind_cpu<T>(m, dtype);
#if PTFAST_WITH_CUDA
  bind_cuda<T>(m, dtype);
#endif
}

}  // namespace

void bind_oks(py::module_& m) {
  bind_dtype<float>(m, "float32");
  bind_dtype<double>(m, "float64");
}

}  // namespace ptfast
