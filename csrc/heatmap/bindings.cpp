#include "common/bindings.h"

#include <string>
#include <vector>

#include "heatmap/heatmap.h"

namespace ptfast {
namespace {

// Heatmaps, mirrored heatmaps or 0; maps, height, width.
using Addresses = std::array<uintptr_t, 2>;
using Sizes = std::array<int64_t, 3>;
using Partners = std::vector<int16_t>;

template <typename T>
HeatmapInputs<T> inputs(const Addresses& p, const Partners& partners, bool shift, const Sizes& s) {
  return {pointer<const T>(p[0]),
          pointer<const T>(p[1]),
          partners.data(),
          int64_t(partners.size()),
          shift,
          s[0],
          s[1],
          s[2]};
}

template <typename T>
void bind_dtype(py::module_& m, const std::string& dtype) {
  using Real = PeakReal<T>;
  m.def(("heatmap_peaks_cpu_" + dtype).c_str(),
        [](const Addresses& in, const Partners& partners, bool shift, const Sizes& shape, int refine, int blur_size,
           uintptr_t coordinates, uintptr_t scores) {
          py::gil_scoped_release release;
          heatmap_peaks_cpu(inputs<T>(in, partners, shift, shape), Refinement(refine), blur_size,
                            pointer<Real>(coordinates), pointer<Real>(scores));
        });
  m.def(("flip_average_cpu_" + dtype).c_str(),
        [](const Addresses& in, const Partners& partners, bool shift, const Sizes& shape, uintptr_t out) {
          py::gil_scoped_release release;
          flip_average_cpu(inputs<T>(in, partners, shift, shape), pointer<T>(out));
        });
#if PTFAST_WITH_CUDA
  m.def(("heatmap_peaks_cuda_" + dtype).c_str(),
        [](const Addresses& in, const Partners& partners, bool shift, const Sizes& shape, int refine, int blur_size,
           uintptr_t coordinates, uintptr_t scores, int device, uintptr_t stream) {
          return heatmap_peaks_cuda(inputs<T>(in, partners, shift, shape), Refinement(refine), blur_size,
                                    pointer<Real>(coordinates), pointer<Real>(scores), device, pointer<void>(stream));
        });
  m.def(("flip_average_cuda_" + dtype).c_str(), [](const Addresses& in, const Partners& partners, bool shift,
                                                   const Sizes& shape, uintptr_t out, int device, uintptr_t stream) {
    return flip_average_cuda(inputs<T>(in, partners, shift, shape), pointer<T>(out), device, pointer<void>(stream));
  });
#endif
}

}  // namespace

void bind_heatmap(py::module_& m) {
  bind_dtype<float>(m, "float32");
  bind_dtype<double>(m, "float64");
  bind_dtype<Half>(m, "float16");
  bind_dtype<BFloat16>(m, "bfloat16");
}

}  // namespace ptfast
