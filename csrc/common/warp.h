#pragma once
#include <cuda_runtime.h>

#include <cstdint>
#include <cstring>

// Functions of a whole warp. Every lane calls them, with the same arguments but for its own values. kSlots is 1 or 2:
// an array of 32 or 64 entries has entry l + 32 s in slot s of lane l.

namespace ptfast {

constexpr int kWarp = 32;
constexpr unsigned kWholeWarp = 0xffffffffu;

__device__ __forceinline__ int lane_number() { return threadIdx.x % kWarp; }

// The lowest of the warp's 32 values; every lane takes part.
__device__ __forceinline__ uint32_t warp_min(uint32_t x) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
  return __reduce_min_sync(kWholeWarp, x);
#else
  for (int step = kWarp / 2; step > 0; step /= 2) {
    const uint32_t other = __shfl_xor_sync(kWholeWarp, x, step);
    x = other < x ? other : x;
  }
  return x;
#endif
}

__device__ __forceinline__ uint64_t warp_min(uint64_t x) {
  const auto high = static_cast<uint32_t>(x >> 32), low = static_cast<uint32_t>(x);
  const uint32_t top = warp_min(high);
  const uint32_t rest = warp_min(high == top ? low : 0xffffffffu);
  return static_cast<uint64_t>(top) << 32 | rest;
}

template <typename T>
struct OrderedBits;
template <>
struct OrderedBits<float> {
  using Type = uint32_t;
};
template <>
struct OrderedBits<double> {
  using Type = uint64_t;
};
// An unsigned integer in the order of the real that it was made of. The highest one means no real at all.
template <typename T>
using Key = typename OrderedBits<T>::Type;
template <typename T>
constexpr Key<T> kNoKey = ~Key<T>{0};
template <typename T>
constexpr Key<T> kSignBit = Key<T>{1} << (8 * sizeof(T) - 1);

template <typename T>
__device__ __forceinline__ Key<T> key_of(T x) {
  Key<T> bits;
  memcpy(&bits, &x, sizeof bits);
  return bits & kSignBit<T> ? ~bits : bits | kSignBit<T>;
}

template <typename T>
__device__ __forceinline__ T real_of_key(Key<T> key) {
  const Key<T> bits = key & kSignBit<T> ? key ^ kSignBit<T> : ~key;
  T x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

// Entry `index` of an array of kSlots * 32 that the warp holds, entry l + 32 s in slot s of lane l.
template <typename V, int kSlots>
__device__ __forceinline__ V held(const V (&values)[kSlots], int index) {
  return __shfl_sync(kWholeWarp, index < kWarp ? values[0] : values[kSlots - 1], index % kWarp);
}
template <typename V, int kSlots>
__device__ __forceinline__ void set_held(V (&values)[kSlots], int index, V value) {
  for (int s = 0; s < kSlots; ++s)
    if (lane_number() + s * kWarp == index) values[s] = value;
}

// The lowest of all lanes' keys.
template <typename K, int kSlots>
__device__ __forceinline__ K lowest_of(const K (&keys)[kSlots]) {
  return warp_min(keys[0] < keys[kSlots - 1] ? keys[0] : keys[kSlots - 1]);
}

// The lowest index whose bit is set, or -1.
template <int kSlots>
__device__ __forceinline__ int first_bit(const unsigned (&bits)[kSlots]) {
  for (int s = 0; s < kSlots; ++s)
    if (bits[s] != 0) return __ffs(bits[s]) - 1 + s * kWarp;
  return -1;
}

}  // namespace ptfast
