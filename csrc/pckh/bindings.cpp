#include "common/bindings.h"

#include "pckh/pckh.h"

namespace ptfast {
namespace {

using Addresses = std::array<uintptr_t, 5>;
using Sizes = std::array<int64_t, 4>;

template <typename T>
PckhInputs<T> inputs(const Addresses& p, T threshold, const Sizes& s) {
  return {pointer<const T>(p[0]),       pointer<const T>(p[1]),       pointer<const T>(p[2]),
          pointer<const uint8_t>(p[3]), pointer<const uint8_t>(p[4]), threshold,
          {s[0], s[1], s[2], s[3]}};
}

template <typename T>
void bind_dtype(py::module_& m, const std::string& dtype) {
  m.def(("pckh_matrix_cpu_" + dtype).c_str(), [](const Addresses& p, T threshold, const Sizes& s, uintptr_t out) {
    py::gil_scoped_release release;
    pckh_matrix_cpu(inputs(p, threshold, s), pointer<T>(out));
  });
#if PTFAST_WITH_CUDA
  m.def(("pckh_matrix_cuda_" + dtype).c_str(),
        [](const Addresses& p, T threshold, const Sizes& s, uintptr_t out, int device, uintptr_t stream) {
          return pckh_matrix_cuda(inputs(p, threshold, s), pointer<T>(out), device, pointer<void>(stream));
        });
#endif
}

}  // namespace

void bind_pckh(py::module_& m) {
  bind_dtype<float>(m, "float32");
  bind_dtype<double>(m, "float64");
}

}  // namespace ptfast
