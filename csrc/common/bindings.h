#pragma once
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <array>
#include <cstdint>
#include <string>

namespace ptfast {

namespace py = pybind11;
using namespace py::literals;

// Every bound function takes inputs, sizes, options and outputs, in this order. One that launches CUDA kernels takes
// the device and the stream (a cudaStream_t as an integer) after them and returns a cudaError_t as int.

// Addresses arrive as integers, 0 for an absent array: the core knows neither NumPy nor torch.
template <typename T>
T* pointer(uintptr_t address) {
  return reinterpret_cast<T*>(address);
}

// Address of the data of a C-contiguous object with a buffer, such as an array, 0 for None.
inline uintptr_t address(py::handle object) {
  if (object.is_none()) return 0;
  Py_buffer buffer;
  if (PyObject_GetBuffer(object.ptr(), &buffer, PyBUF_SIMPLE) != 0) throw py::error_already_set();
  const auto result = reinterpret_cast<uintptr_t>(buffer.buf);
  PyBuffer_Release(&buffer);
  return result;
}

}  // namespace ptfast
