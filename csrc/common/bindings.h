#pragma once
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <array>
#include <cstdint>
#include <stdexcept>
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

// The data of a C-contiguous object with a buffer, such as an array; null and empty for None.
struct Memory {
  uintptr_t address = 0;
  int64_t bytes = 0, itemsize = 1;

  explicit Memory(py::handle object) {
    if (object.is_none()) return;
    Py_buffer buffer;
    if (PyObject_GetBuffer(object.ptr(), &buffer, PyBUF_SIMPLE) != 0) throw py::error_already_set();
    address = reinterpret_cast<uintptr_t>(buffer.buf);
    bytes = buffer.len, itemsize = buffer.itemsize;
    PyBuffer_Release(&buffer);
    // Sizes of numbers are powers of two. Vector instructions may fault on others' addresses.
    if (bytes > 0 && itemsize > 0 && (address & static_cast<uintptr_t>(itemsize - 1)) != 0)
      throw std::invalid_argument("an array's memory must be aligned to its numbers");
  }
};

inline uintptr_t address(py::handle object) { return Memory(object).address; }

// The same as numbers of one type, with how many there are.
template <typename T>
struct Span {
  T* data;
  int64_t size;

  explicit Span(py::handle object) {
    const Memory memory(object);
    if (memory.address != 0 && memory.itemsize != sizeof(T)) throw std::invalid_argument("an array of another dtype");
    data = pointer<T>(memory.address);
    size = memory.bytes / static_cast<int64_t>(sizeof(T));
  }
};

}  // namespace ptfast
