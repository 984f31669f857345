#include "common/bindings.h"

#include "clear/clear.h"

namespace ptfast {
namespace {

// Addresses in the order of ClearInputs' fields and of ClearOutputs'.
using Inputs = std::array<uintptr_t, 10>;
using Outputs = std::array<uintptr_t, 4>;
using Sizes = std::array<int64_t, 2>;  // sequences, k

ClearInputs inputs_of(const Inputs& in, const Sizes& s) {
  return {pointer<const double>(in[0]),
          pointer<const int64_t>(in[1]),
          pointer<const int64_t>(in[2]),
          pointer<const int64_t>(in[3]),
          pointer<const int64_t>(in[4]),
          pointer<const int64_t>(in[5]),
          pointer<const int64_t>(in[6]),
          pointer<const int64_t>(in[7]),
          pointer<const uint8_t>(in[8]),
          pointer<const uint8_t>(in[9]),
          s[0],
          s[1]};
}

}  // namespace

void bind_clear(py::module_& m) {
  m.def(
      "clear_match_cpu",
      [](const Inputs& in, const Sizes& sizes, const Outputs& out) {
        py::gil_scoped_release release;
        clear_match_cpu(inputs_of(in, sizes), {pointer<int64_t>(out[0]), pointer<uint8_t>(out[1]),
                                               pointer<int64_t>(out[2]), pointer<double>(out[3])});
      },
      "inputs"_a, "sizes"_a, "outputs"_a);
}

}  // namespace ptfast
