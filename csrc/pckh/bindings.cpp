#include "common/bindings.h"

#include "pckh/pckh.h"

namespace ptfast {
namespace {

using Addresses = std::array<uintptr_t, 5>;  // in the order of PckhInputs' fields
using Sizes = std::array<int64_t, 4>;        // batch, n, m, k

template <typename T>
PckhInputs<T> inputs(const Addresses& p, const Sizes& s, T threshold) {
  return {pointer<const T>(p[0]),
          pointer<const T>(p[1]),
          pointer<const T>(p[2]),
          pointer<const uint8_t>(p[3]),
          pointer<const uint8_t>(p[4]),
          {s[0], s[1], s[2], s[3]},
          threshold};
}

template <typename T>
void bind_dtype(py::module_& m, const std::string& dtype) {
  m.def(("pckh_matrix_cpu_" + dtype).c_str(),
        [](const Addresses& in, const Sizes& sizes, T threshold, uintptr_t out) {
          py::gil_scoped_release release;
          pckh_matrix_cpu(inputs(in, sizes, threshold), pointer<T>(out));
        },
        "inputs"_a, "sizes"_a, "threshold"_a, "out"_a);
#if PTFAST_WITH_CUDA
  m.def(("pckh_matrix_cuda_" + dtype).c_str(),
        [](const Addresses& in, const Sizes& sizes, T threshold, uintptr_t out, int device, uintptr_t stream) {
          return pckh_matrix_cuda(inputs(in, sizes, threshold), pointer<T>(out), device, pointer<void>(stream));
        },
        "inputs"_a, "sizes"_a, "threshold"_a, "out"_a, "device"_a, "stream"_a);
#endif
}

}  // namespace

void bind_pckh(py::module_& m) {
  bind_dtype<float>(m, "float32");
  bind_dtype<double>(m, "float64");
}

}  // namespace ptfast
