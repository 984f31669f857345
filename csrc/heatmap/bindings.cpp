#include "common/bindings.h"

#include <algorithm>
#include <stdexcept>
#include <vector>

#include "heatmap/heatmap.h"

namespace ptfast {
namespace {

using Addresses = std::array<uintptr_t, 2>;  // heatmaps, flipped or 0
using Sizes = std::array<int64_t, 3>;        // maps, height, width
using Partners = std::vector<int16_t>;       // [joints] or empty

template <typename T>
HeatmapInputs<T> inputs(const Addresses& p, const Partners& partners, const Sizes& s, bool shift) {
  const auto joints = static_cast<int64_t>(partners.size());
  const auto known = [joints](int16_t joint) { return joint >= 0 && joint < joints; };
  if (!std::all_of(partners.begin(), partners.end(), known) || (joints > 0 && s[0] % joints != 0))
    throw std::invalid_argument("partners must be joints of the maps");
  return {pointer<const T>(p[0]), pointer<const T>(p[1]), partners.data(), s[0], s[1], s[2], joints, shift};
}

template <typename T>
void bind_peaks(py::module_& m, const std::string& dtype) {
  using Real = PeakReal<T>;
  m.def(("heatmap_peaks_cpu_" + dtype).c_str(),
        [](const Addresses& in, const Partners& partners, const Sizes& s, bool shift, int refine, int blur_kernel,
           uintptr_t coordinates, uintptr_t scores) {
          py::gil_scoped_release release;
          heatmap_peaks_cpu(inputs<T>(in, partners, s, shift), Refinement(refine), blur_kernel,
                            pointer<Real>(coordinates), pointer<Real>(scores));
        },
        "inputs"_a, "partners"_a, "sizes"_a, "shift"_a, "refine"_a, "blur_kernel"_a, "coordinates"_a, "scores"_a);
#if PTFAST_WITH_CUDA
  m.def(("heatmap_peaks_cuda_" + dtype).c_str(),
        [](const Addresses& in, const Partners& partners, const Sizes& s, bool shift, int refine, int blur_kernel,
           uintptr_t coordinates, uintptr_t scores, int device, uintptr_t stream) {
          return heatmap_peaks_cuda(inputs<T>(in, partners, s, shift), Refinement(refine), blur_kernel,
                                    pointer<Real>(coordinates), pointer<Real>(scores), device, pointer<void>(stream));
        },
        "inputs"_a, "partners"_a, "sizes"_a, "shift"_a, "refine"_a, "blur_kernel"_a, "coordinates"_a, "scores"_a,
        "device"_a, "stream"_a);
#endif
}

template <typename T>
void bind_average(py::module_& m, const std::string& dtype) {
  m.def(("flip_average_cpu_" + dtype).c_str(),
        [](const Addresses& in, const Partners& partners, const Sizes& s, bool shift, uintptr_t out) {
          py::gil_scoped_release release;
          flip_average_cpu(inputs<T>(in, partners, s, shift), pointer<T>(out));
        },
        "inputs"_a, "partners"_a, "sizes"_a, "shift"_a, "out"_a);
#if PTFAST_WITH_CUDA
  m.def(("flip_average_cuda_" + dtype).c_str(),
        [](const Addresses& in, const Partners& partners, const Sizes& s, bool shift, uintptr_t out, int device,
           uintptr_t stream) {
          return flip_average_cuda(inputs<T>(in, partners, s, shift), pointer<T>(out), device, pointer<void>(stream));
        },
        "inputs"_a, "partners"_a, "sizes"_a, "shift"_a, "out"_a, "device"_a, "stream"_a);
#endif
}

template <typename T>
void bind_dtype(py::module_& m, const std::string& dtype) {
  bind_peaks<T>(m, dtype);
  bind_average<T>(m, dtype);
}

}  // namespace

void bind_heatmap(py::module_& m) {
  bind_dtype<float>(m, "float32");
  bind_dtype<double>(m, "float64");
  bind_dtype<Half>(m, "float16");
  bind_dtype<BFloat16>(m, "bfloat16");
}

}  // namespace ptfast
