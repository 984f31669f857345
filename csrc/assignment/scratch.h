#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace ptfast {

// Memory for arrays that live through one call, each on a cache line's boundary.
class ScratchMemory {
 public:
  // Starts afresh with room for `bytes`, the sum of size_of over the arrays to come. Earlier contents are lost.
  void reserve(size_t bytes) {
    used_ = 0;
    if (lines_.size() < bytes / kLine) lines_.resize(bytes / kLine);
  }

  template <typename T>
  static size_t size_of(int64_t count) {
    return (count * sizeof(T) + kLine - 1) / kLine * kLine;
  }

  template <typename T>
  T* take(int64_t count) {
    auto* array = reinterpret_cast<T*>(lines_.data() + used_);
    used_ += size_of<T>(count) / kLine;
    return array;
  }

 private:
  static constexpr size_t kLine = 64;
  struct alignas(kLine) Line {
    unsigned char bytes[kLine];
  };
  std::vector<Line> lines_;
  size_t used_ = 0;
};

}  // namespace ptfast
