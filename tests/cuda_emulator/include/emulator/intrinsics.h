#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "emulator/warp.h"

// Intrinsics that concern one thread. Threads take turns only at barriers and warp intrinsics, so plain reads and
// writes are atomic.

inline void __threadfence() {}
inline void __threadfence_block() {}
inline void __threadfence_system() {}

#define PTFAST_ATOMIC(name, T, expression) \
  inline T name(T* address, T value) {     \
    const T old = *address;                \
    *address = static_cast<T>(expression); \
    return old;                            \
  }
#define PTFAST_ATOMICS(T)                                \
  PTFAST_ATOMIC(atomicAdd, T, old + value)               \
  PTFAST_ATOMIC(atomicExch, T, value)                    \
  PTFAST_ATOMIC(atomicMin, T, value < old ? value : old) \
  PTFAST_ATOMIC(atomicMax, T, old < value ? value : old) \
  PTFAST_ATOMIC(atomicAnd, T, old& value)                \
  PTFAST_ATOMIC(atomicOr, T, old | value)                \
  PTFAST_ATOMIC(atomicXor, T, old ^ value)               \
  inline T atomicCAS(T* address, T expected, T value) {  \
    const T old = *address;                              \
    if (old == expected) *address = value;               \
    return old;                                          \
  }
PTFAST_ATOMICS(int)
PTFAST_ATOMICS(unsigned)
PTFAST_ATOMICS(unsigned long long)
PTFAST_ATOMIC(atomicMin, long long, value < old ? value : old)
PTFAST_ATOMIC(atomicMax, long long, old < value ? value : old)
PTFAST_ATOMIC(atomicSub, int, old - value)
PTFAST_ATOMIC(atomicSub, unsigned, old - value)
PTFAST_ATOMIC(atomicAdd, float, old + value)
PTFAST_ATOMIC(atomicAdd, double, old + value)
PTFAST_ATOMIC(atomicExch, float, value)
#undef PTFAST_ATOMICS
#undef PTFAST_ATOMIC

template <typename T>
T __ldg(const T* p) {
  return *p;
}
template <typename T>
T __ldcs(const T* p) {
  return *p;
}
template <typename T>
T __ldcg(const T* p) {
  return *p;
}
template <typename T>
void __stcs(T* p, T value) {
  *p = value;
}
template <typename T>
void __stcg(T* p, T value) {
  *p = value;
}

inline int __popc(unsigned x) { return __builtin_popcount(x); }
inline int __popcll(unsigned long long x) { return __builtin_popcountll(x); }
inline int __ffs(unsigned x) { return __builtin_ffs(static_cast<int>(x)); }
inline int __ffsll(unsigned long long x) { return __builtin_ffsll(static_cast<long long>(x)); }
inline int __clz(unsigned x) { return x == 0 ? 32 : __builtin_clz(x); }
inline int __clzll(unsigned long long x) { return x == 0 ? 64 : __builtin_clzll(x); }
inline unsigned __umulhi(unsigned a, unsigned b) { return static_cast<unsigned>(uint64_t(a) * b >> 32); }

inline unsigned __float_as_uint(float x) { return cuda_emulator::from_bits<unsigned>(cuda_emulator::to_bits(x)); }
inline int __float_as_int(float x) { return cuda_emulator::from_bits<int>(cuda_emulator::to_bits(x)); }
inline float __uint_as_float(unsigned x) { return cuda_emulator::from_bits<float>(x); }
inline float __int_as_float(int x) { return cuda_emulator::from_bits<float>(static_cast<unsigned>(x)); }
inline long long __double_as_longlong(double x) {
  return cuda_emulator::from_bits<long long>(cuda_emulator::to_bits(x));
}
inline double __longlong_as_double(long long x) { return cuda_emulator::from_bits<double>(static_cast<uint64_t>(x)); }

// The folder is compiled without contraction, so each operation rounds by itself.
inline float __fadd_rn(float a, float b) { return a + b; }
inline float __fsub_rn(float a, float b) { return a - b; }
inline float __fmul_rn(float a, float b) { return a * b; }
inline float __fdiv_rn(float a, float b) { return a / b; }
inline float __fsqrt_rn(float a) { return std::sqrt(a); }
inline float __fmaf_rn(float a, float b, float c) { return std::fma(a, b, c); }
inline float __frcp_rn(float a) { return 1.f / a; }
inline double __dadd_rn(double a, double b) { return a + b; }
inline double __dsub_rn(double a, double b) { return a - b; }
inline double __dmul_rn(double a, double b) { return a * b; }
inline double __ddiv_rn(double a, double b) { return a / b; }
inline double __dsqrt_rn(double a) { return std::sqrt(a); }
inline double __fma_rn(double a, double b, double c) { return std::fma(a, b, c); }

inline float rsqrtf(float x) { return 1.f / std::sqrt(x); }
inline double rsqrt(double x) { return 1.0 / std::sqrt(x); }
inline float __frsqrt_rn(float x) { return rsqrtf(x); }
inline float __fdividef(float a, float b) { return a / b; }
inline float __expf(float x) { return std::exp(x); }
inline float __logf(float x) { return std::log(x); }
inline float __saturatef(float x) { return x > 0.f ? (x < 1.f ? x : 1.f) : 0.f; }

inline int __float2int_rn(float x) { return static_cast<int>(std::nearbyint(x)); }
inline int __float2int_rd(float x) { return static_cast<int>(std::floor(x)); }
inline int __float2int_ru(float x) { return static_cast<int>(std::ceil(x)); }
inline int __float2int_rz(float x) { return static_cast<int>(x); }

template <typename A, typename B>
std::common_type_t<A, B> min(A a, B b) {
  using T = std::common_type_t<A, B>;
  if constexpr (std::is_floating_point_v<T>)
    return std::fmin(T(a), T(b));
  else
    return T(b) < T(a) ? T(b) : T(a);
}
template <typename A, typename B>
std::common_type_t<A, B> max(A a, B b) {
  using T = std::common_type_t<A, B>;
  if constexpr (std::is_floating_point_v<T>)
    return std::fmax(T(a), T(b));
  else
    return T(a) < T(b) ? T(b) : T(a);
}
