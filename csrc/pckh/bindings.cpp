#include "common/bindings.h"

#include "pckh/pckh.h"

namespace ptfast {
namespace {

template <typename T>
void bind_dtype(py::module_& m, const std::string& dtype) {
  m.def(("pckh_matrix_cpu_" + dtype).c_str(),
        [](const std::array<uintptr_t, 5>& p, T threshold, const std::array<int64_t, 4>& s, uintptr_t out) {
          py::gil_scoped_release release;
          pckh_matrix_cpu<T>({pointer<const T>(p[0]),
                              pointer<const T>(p[1]),
                              pointer<const T>(p[2]),
                              pointer<const uint8_t>(p[3]),
                              pointer<const uint8_t>(p[4]),
                              threshold,
                              {s[0], s[1], s[2], s[3]}},
                             pointer<T>(out));
        });
}

}  // namespace

void bind_pckh(py::module_& m) {
  bind_dtype<float>(m, "float32");
  bind_dtype<double>(m, "float64");
}

}  // namespace ptfast
