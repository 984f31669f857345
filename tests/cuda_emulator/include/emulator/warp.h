#pragma once
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "emulator/vectors.h"

// Barriers and warp intrinsics. Every thread of a block must reach a barrier, and every lane that a mask names must
// reach the same intrinsic with the same mask; otherwise the launch throws std::runtime_error. CUDA lets lanes that
// have returned be missing; here they may not be.

namespace cuda_emulator {

// Where a kernel calls something. As a default argument it names the caller's line.
struct Site {
  const char* file;
  int line;
  static Site here(const char* file = __builtin_FILE(), int line = __builtin_LINE()) { return {file, line}; }
};

// A lane's part in an intrinsic.
struct Offer {
  uint64_t value;
  int source;  // the lane that a shuffle reads, -1 none
};

// Result of an intrinsic for `lane` from the offers of the lanes in mask. offers: [32]
using Combine = uint64_t (*)(const Offer* offers, unsigned mask, int lane);

// Waits for all lanes of the mask.
uint64_t collective(const char* name, unsigned mask, Offer offer, Combine combine, Site site);

// Waits for all threads of the block; in how many of them the predicate holds.
int barrier(const char* name, bool predicate, Site site);

// The calling thread's place in its block and in its warp.
int thread_number();
inline int lane_number() { return thread_number() % 32; }

template <typename V>
uint64_t to_bits(V value) {
  static_assert(std::is_arithmetic_v<V> && (sizeof(V) == 4 || sizeof(V) == 8), "CUDA shuffles 32 or 64 bits");
  uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof value);
  return bits;
}

template <typename V>
V from_bits(uint64_t bits) {
  V value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

// Garbage from a lane that the mask does not name.
inline uint64_t take(const Offer* offers, unsigned mask, int lane) {
  const int source = offers[lane].source;
  return mask >> source & 1u ? offers[source].value : ~uint64_t(0);
}

template <typename V>
auto shuffle(const char* name, unsigned mask, V value, int source, Site site) {
  using Promoted = decltype(+value);
  return from_bits<Promoted>(collective(name, mask, {to_bits<Promoted>(value), source}, take, site));
}

inline uint64_t gather_bits(const Offer* offers, unsigned mask, int) {
  uint64_t bits = 0;
  for (int lane = 0; lane < 32; ++lane) bits |= uint64_t((mask >> lane & 1u) != 0 && offers[lane].value != 0) << lane;
  return bits;
}

inline uint64_t equal_lanes(const Offer* offers, unsigned mask, int own) {
  uint64_t bits = 0;
  for (int lane = 0; lane < 32; ++lane)
    bits |= uint64_t((mask >> lane & 1u) != 0 && offers[lane].value == offers[own].value) << lane;
  return bits;
}

template <typename V, typename Operation>
uint64_t reduce_offers(const Offer* offers, unsigned mask, int) {
  bool first = true;
  V result{};
  for (int lane = 0; lane < 32; ++lane) {
    if ((mask >> lane & 1u) == 0) continue;
    const V value = from_bits<V>(offers[lane].value);
    result = first ? value : Operation()(result, value);
    first = false;
  }
  return to_bits(result);
}

template <typename Operation, typename V>
V reduce(const char* name, unsigned mask, V value, Site site) {
  return from_bits<V>(collective(name, mask, {to_bits(value), -1}, reduce_offers<V, Operation>, site));
}

inline uint64_t nothing(const Offer*, unsigned, int) { return 0; }

}  // namespace cuda_emulator

#define PTFAST_SITE cuda_emulator::Site site = cuda_emulator::Site::here()

inline void __syncthreads(PTFAST_SITE) { cuda_emulator::barrier("__syncthreads", false, site); }
inline int __syncthreads_count(int predicate, PTFAST_SITE) {
  return cuda_emulator::barrier("__syncthreads_count", predicate != 0, site);
}
inline int __syncthreads_or(int predicate, PTFAST_SITE) {
  return cuda_emulator::barrier("__syncthreads_or", predicate != 0, site) > 0;
}
inline int __syncthreads_and(int predicate, PTFAST_SITE) {
  return cuda_emulator::barrier("__syncthreads_and", predicate == 0, site) == 0;
}

inline void __syncwarp(unsigned mask = 0xffffffffu, PTFAST_SITE) {
  cuda_emulator::collective("__syncwarp", mask, {0, -1}, cuda_emulator::nothing, site);
}

// A lane always has at least itself for company, and nothing promises it more.
inline unsigned __activemask() { return 1u << cuda_emulator::lane_number(); }

inline unsigned __ballot_sync(unsigned mask, int predicate, PTFAST_SITE) {
  return static_cast<unsigned>(cuda_emulator::collective("__ballot_sync", mask, {uint64_t(predicate != 0), -1},
                                                         cuda_emulator::gather_bits, site));
}
inline int __any_sync(unsigned mask, int predicate, PTFAST_SITE) { return __ballot_sync(mask, predicate, site) != 0; }
inline int __all_sync(unsigned mask, int predicate, PTFAST_SITE) {
  return __ballot_sync(mask, predicate, site) == mask;
}

template <typename V>
unsigned __match_any_sync(unsigned mask, V value, PTFAST_SITE) {
  return static_cast<unsigned>(cuda_emulator::collective("__match_any_sync", mask, {cuda_emulator::to_bits(value), -1},
                                                         cuda_emulator::equal_lanes, site));
}

// Shuffles stay within segments of `width` lanes; where there is no such lane a thread gets its own value.
template <typename V>
auto __shfl_sync(unsigned mask, V value, int source, int width = 32, PTFAST_SITE) {
  const int first = cuda_emulator::lane_number() / width * width;
  return cuda_emulator::shuffle("__shfl_sync", mask, value, first + (source & (width - 1)), site);
}
template <typename V>
auto __shfl_up_sync(unsigned mask, V value, unsigned distance, int width = 32, PTFAST_SITE) {
  const int lane = cuda_emulator::lane_number();
  const bool inside = static_cast<unsigned>(lane % width) >= distance;
  return cuda_emulator::shuffle("__shfl_up_sync", mask, value, inside ? lane - static_cast<int>(distance) : lane, site);
}
template <typename V>
auto __shfl_down_sync(unsigned mask, V value, unsigned distance, int width = 32, PTFAST_SITE) {
  const int lane = cuda_emulator::lane_number();
  const bool inside = lane % width + distance < static_cast<unsigned>(width);
  return cuda_emulator::shuffle("__shfl_down_sync", mask, value, inside ? lane + static_cast<int>(distance) : lane,
                                site);
}
// A lane may read from segments before its own, not from later ones.
template <typename V>
auto __shfl_xor_sync(unsigned mask, V value, int bits, int width = 32, PTFAST_SITE) {
  const int lane = cuda_emulator::lane_number(), source = (lane ^ bits) & 31;
  return cuda_emulator::shuffle("__shfl_xor_sync", mask, value, source / width <= lane / width ? source : lane, site);
}

namespace cuda_emulator {
struct Add {
  template <typename V>
  V operator()(V a, V b) const {
    return static_cast<V>(static_cast<unsigned>(a) + static_cast<unsigned>(b));
  }
};
struct Min {
  template <typename V>
  V operator()(V a, V b) const {
    return b < a ? b : a;
  }
};
struct Max {
  template <typename V>
  V operator()(V a, V b) const {
    return a < b ? b : a;
  }
};
struct And {
  template <typename V>
  V operator()(V a, V b) const {
    return a & b;
  }
};
struct Or {
  template <typename V>
  V operator()(V a, V b) const {
    return a | b;
  }
};
struct Xor {
  template <typename V>
  V operator()(V a, V b) const {
    return a ^ b;
  }
};
}  // namespace cuda_emulator

#define PTFAST_REDUCE(name, T, Operation)                                             \
  inline T name(unsigned mask, T value, PTFAST_SITE) {                                \
    return cuda_emulator::reduce<cuda_emulator::Operation>(#name, mask, value, site); \
  }
PTFAST_REDUCE(__reduce_add_sync, unsigned, Add)
PTFAST_REDUCE(__reduce_add_sync, int, Add)
PTFAST_REDUCE(__reduce_min_sync, unsigned, Min)
PTFAST_REDUCE(__reduce_min_sync, int, Min)
PTFAST_REDUCE(__reduce_max_sync, unsigned, Max)
PTFAST_REDUCE(__reduce_max_sync, int, Max)
PTFAST_REDUCE(__reduce_and_sync, unsigned, And)
PTFAST_REDUCE(__reduce_or_sync, unsigned, Or)
PTFAST_REDUCE(__reduce_xor_sync, unsigned, Xor)
#undef PTFAST_REDUCE
#undef PTFAST_SITE
