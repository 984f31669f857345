#pragma once
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <array>
#include <cstdint>
#include <string>

namespace ptfast {

namespace py = pybind11;

// Addresses arrive as integers, 0 for an absent array: the core knows neither NumPy nor torch.
template <typename T>
T* pointer(uintptr_t address) {
  return reinterpret_cast<T*>(address);
}

}  // namespace ptfast
