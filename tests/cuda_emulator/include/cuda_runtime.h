#pragma once
// Takes the place of the CUDA toolkit's header of this name: as much of CUDA C++ as ptfast's kernels use, for any C++
// compiler. emulator.h says how kernels run.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#define __host__
#define __device__
#define __global__
#define __constant__
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)
#define __align__(bytes) __attribute__((aligned(bytes)))
// One block runs at a time, so that its shared memory can be static. That it belongs to the thread only serves to
// gather it in one place, where it is filled with garbage before each block: see shared_begin.cpp.
#define __shared__ static thread_local

#include "emulator/intrinsics.h"
#include "emulator/runtime.h"
#include "emulator/vectors.h"
#include "emulator/warp.h"
