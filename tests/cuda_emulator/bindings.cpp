#include "common/bindings.h"

#include <stdexcept>

#include "common/parallel.h"
#include "emulator.h"
#include "probes.h"

namespace {

using namespace ptfast;

void set_order(const std::string& name, uint64_t seed) {
  using cuda_emulator::Order;
  if (name != "forward" && name != "reverse" && name != "shuffled")
    throw std::invalid_argument("order must be forward, reverse or shuffled, got " + name);
  cuda_emulator::set_order(name == "forward"   ? Order::kForward
                           : name == "reverse" ? Order::kReverse
                                               : Order::kShuffled,
                           seed);
}

template <typename T>
void bind_warp(py::module_& m, const char* name) {
  m.def(name, [](uintptr_t in, int threads, uintptr_t out) {
    return probe_warp(pointer<const T>(in), threads, pointer<T>(out));
  });
}

}  // namespace

// The emulator's controls and its probes. Python finds this module in the same library as _C, so both share a state.
PYBIND11_MODULE(_emulator, m) {
  m.def("set_order", &set_order, py::arg("order"), py::arg("seed") = 0);
  m.def("probe_sum", [](uintptr_t in, int64_t n, uintptr_t out) {
    return probe_sum(pointer<const float>(in), n, pointer<float>(out));
  });
  m.def("probe_neighbour", [](uintptr_t in, int threads, bool barrier, uintptr_t out) {
    return probe_neighbour(pointer<const float>(in), threads, barrier, pointer<float>(out));
  });
  m.def("probe_unwritten",
        [](bool integer, int blocks, uintptr_t out) { return probe_unwritten(integer, blocks, pointer<float>(out)); });
  m.def("probe_overrun", &probe_overrun);
  m.def("probe_shared_limit", &probe_shared_limit);
  bind_warp<float>(m, "probe_warp_float32");
  bind_warp<double>(m, "probe_warp_float64");
  bind_warp<int>(m, "probe_warp_int32");
  bind_warp<long long>(m, "probe_warp_int64");
  m.def("probe_broken",
        [](int kind, int threads, uintptr_t out) { return probe_broken(kind, threads, pointer<int>(out)); });
  m.def("probe_barriers", [](uintptr_t in, int threads, uintptr_t out) {
    return probe_barriers(pointer<const int>(in), threads, pointer<int>(out));
  });
  // The core's own thread pool, with a body that fails.
  m.def("throw_in_pool", [](int threads) {
    set_num_threads(threads);
    parallel_for(1000, 1, [](int64_t begin, int64_t) {
      if (begin > 0) throw std::runtime_error("from the pool");
    });
  });
  m.def("probe_places", [](uintptr_t out) { return probe_places(pointer<int>(out)); });
}
