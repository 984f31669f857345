#include "common/bindings.h"

#include "clear/clear.h"

namespace ptfast {

void bind_clear(py::module_& m) {
  m.def("clear_match_cpu", [](const std::array<uintptr_t, 10>& in, const std::array<int64_t, 2>& sizes,
                              const std::array<uintptr_t, 4>& out) {
    py::gil_scoped_release release;
    const ClearInputs inputs{pointer<const double>(in[0]),
                             pointer<const int64_t>(in[1]),
                             pointer<const int64_t>(in[2]),
                             pointer<const int64_t>(in[3]),
                             pointer<const int64_t>(in[4]),
                             pointer<const int64_t>(in[5]),
                             pointer<const int64_t>(in[6]),
                             pointer<const int64_t>(in[7]),
                             pointer<const uint8_t>(in[8]),
                             pointer<const uint8_t>(in[9]),
                             sizes[0],
                             sizes[1]};
    clear_match_cpu(inputs, {pointer<int64_t>(out[0]), pointer<uint8_t>(out[1]), pointer<int64_t>(out[2]),
                             pointer<double>(out[3])});
  });
}

}  // namespace ptfast
