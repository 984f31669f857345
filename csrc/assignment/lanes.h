#pragma once
#include <cstdint>
#include <cstring>
#include <limits>

#include "common/simd.h"

// Vectors in the syntax that GCC and clang share. Compilers leave half of the plain loops over a few columns scalar,
// above all the search for the lowest one. All functions are inlined, so no vector crosses a real call.
#pragma GCC diagnostic ignored "-Wpsabi"

namespace ptfast {

// AVX2's registers where functions are cloned for it. Every other machine has 16 bytes.
constexpr int kVectorBytes = PTFAST_HAS_TARGET_CLONES ? 32 : 16;

template <typename T>
struct Lanes;
template <>
struct Lanes<float> {
  using Integer = int32_t;
  typedef float Reals __attribute__((vector_size(kVectorBytes)));
  typedef int32_t Integers __attribute__((vector_size(kVectorBytes)));
};
template <>
struct Lanes<double> {
  using Integer = int64_t;
  typedef double Reals __attribute__((vector_size(kVectorBytes)));
  typedef int64_t Integers __attribute__((vector_size(kVectorBytes)));
};

template <typename T>
using Integer = typename Lanes<T>::Integer;
template <typename T>
using Reals = typename Lanes<T>::Reals;
template <typename T>
using Integers = typename Lanes<T>::Integers;
using Longs = Integers<double>;

template <typename T>
constexpr int64_t kLanes = kVectorBytes / sizeof(T);
template <typename T>
constexpr Integer<T> kHighest = std::numeric_limits<Integer<T>>::max();

// An array on a cache line's boundary as vectors.
template <typename T>
PTFAST_INLINE Reals<T>* reals(T* array) {
  return reinterpret_cast<Reals<T>*>(array);
}
template <typename T>
PTFAST_INLINE Integers<T>* integers(Integer<T>* array) {
  return reinterpret_cast<Integers<T>*>(array);
}

template <typename T>
PTFAST_INLINE Integers<T> lane_numbers() {
  Integers<T> lanes;
  for (int lane = 0; lane < kLanes<T>; ++lane) lanes[lane] = lane;
  return lanes;
}

// Turns the bits of reals into integers of the same order, and back. -0 must not occur.
template <typename T, typename Bits>
PTFAST_INLINE Bits ordered(const Bits& bits) {
  return bits ^ ((bits >> (8 * sizeof(T) - 1)) & kHighest<T>);
}

template <typename T>
PTFAST_INLINE T real_of(Integer<T> bits) {
  T value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

template <typename T>
PTFAST_INLINE Integer<T> bits_of(T value) {
  Integer<T> bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

// Lanes 2 3 0 1 of a vector of four. A vector of two stays as it is: a minimum of it and itself changes nothing.
PTFAST_INLINE Longs halves_swapped(const Longs& x) {
#if PTFAST_HAS_TARGET_CLONES
  return __builtin_shufflevector(x, x, 2, 3, 0, 1);
#else
  return x;
#endif
}

// The lowest of the keys added, and the lowest label among equal keys. Labels are at least 0 and below 2^31.
template <typename T>
struct Lowest {
  Longs key = Longs{} + kHighest<double>, label = key;

  PTFAST_INLINE void add(const Longs& other_key, const Longs& other_label) {
    const Longs lower = (other_key < key) | ((other_key == key) & (other_label < label));
    key = lower ? other_key : key;
    label = lower ? other_label : label;
  }

  PTFAST_INLINE void find(int64_t& low, int64_t& at) const {
    Lowest all = *this;
    all.add(halves_swapped(key), halves_swapped(label));
    const bool first = (all.key[0] < all.key[1]) | ((all.key[0] == all.key[1]) & (all.label[0] < all.label[1]));
    low = first ? all.key[0] : all.key[1];
    at = first ? all.label[0] : all.label[1];
  }
};

// A float's key and its label fit one 64-bit integer: a single minimum finds both.
template <>
struct Lowest<float> {
  Longs even = Longs{} + kHighest<double>, odd = even;

  PTFAST_INLINE void add(const Integers<float>& key, const Integers<float>& label) {
    constexpr int64_t kLow = 0xffffffff;
    const Longs even_pair = ((Longs)key << 32) | ((Longs)label & kLow);
    const Longs odd_pair = ((Longs)key & ~kLow) | ((Longs)label >> 32);
    even = even_pair < even ? even_pair : even;
    odd = odd_pair < odd ? odd_pair : odd;
  }

  PTFAST_INLINE void find(int32_t& low, int64_t& at) const {
    const Longs one = even < odd ? even : odd, other = halves_swapped(one), both = one < other ? one : other;
    const int64_t pair = both[0] < both[1] ? both[0] : both[1];
    low = static_cast<int32_t>(pair >> 32);
    at = static_cast<int32_t>(pair);
  }
};

}  // namespace ptfast
