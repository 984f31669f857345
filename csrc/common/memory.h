#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace ptfast {

// Memory that begins at a cache line, so that no vector register is loaded from two.
template <typename T>
class AlignedBuffer {
 public:
  // Room for n numbers, of whatever value.
  T* reserve(size_t n) {
    constexpr size_t kLine = 64;
    if (memory_.size() < n + kLine / sizeof(T)) memory_.resize(n + kLine / sizeof(T));
    return reinterpret_cast<T*>((reinterpret_cast<uintptr_t>(memory_.data()) + kLine - 1) / kLine * kLine);
  }

 private:
  std::vector<T> memory_;
};

// Asks for 2 MB pages behind a large result that is about to be written for the first time. The operating system
// otherwise hands its memory out 4 KB at a time, which takes several times as long as writing it. Content and ownership
// stay as they are, and a refusal changes nothing.
inline void advise_large_pages(void* data, size_t bytes) {
#if defined(__linux__) && defined(MADV_HUGEPAGE)
  constexpr uintptr_t kPage = uintptr_t{2} << 20;
  const uintptr_t address = reinterpret_cast<uintptr_t>(data);
  const uintptr_t begin = (address + kPage - 1) / kPage * kPage, end = (address + bytes) / kPage * kPage;
  if (bytes >= 2 * kPage && begin < end) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
#else
  static_cast<void>(data);
  static_cast<void>(bytes);
#endif
}

}  // namespace ptfast
