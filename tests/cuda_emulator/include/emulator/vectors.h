#pragma once

// CUDA's vector types, with its alignments.
#define PTFAST_VECTORS(name, T, align2, align4)                      \
  struct name##1 { T x; };                                           \
  struct alignas(align2) name##2 { T x, y; };                        \
  struct name##3 { T x, y, z; };                                     \
  struct alignas(align4) name##4 { T x, y, z, w; };                  \
  inline name##1 make_##name##1(T x) { return {x}; }                 \
  inline name##2 make_##name##2(T x, T y) { return {x, y}; }         \
  inline name##3 make_##name##3(T x, T y, T z) { return {x, y, z}; } \
  inline name##4 make_##name##4(T x, T y, T z, T w) { return {x, y, z, w}; }

PTFAST_VECTORS(char, signed char, 2, 4)
PTFAST_VECTORS(uchar, unsigned char, 2, 4)
PTFAST_VECTORS(short, short, 4, 8)
PTFAST_VECTORS(ushort, unsigned short, 4, 8)
PTFAST_VECTORS(int, int, 8, 16)
PTFAST_VECTORS(uint, unsigned, 8, 16)
PTFAST_VECTORS(longlong, long long, 16, 16)
PTFAST_VECTORS(ulonglong, unsigned long long, 16, 16)
PTFAST_VECTORS(float, float, 8, 16)
PTFAST_VECTORS(double, double, 16, 16)
#undef PTFAST_VECTORS

struct dim3 {
  unsigned x, y, z;
  constexpr dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
};

// Those of the thread that runs; the emulator sets them.
extern uint3 threadIdx, blockIdx;
extern dim3 blockDim, gridDim;
extern const int warpSize;
