#pragma once
// Takes the place of csrc/common/launch.h: kernels run on the CPU.
#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>
#include <tuple>

#include "emulator.h"

namespace ptfast {

// Few, so that blocks come round to a second item, as they do on a GPU where there is very much to do.
constexpr int64_t kMaxBlocks = 3;

template <typename... P, typename... A>
cudaError_t launch(void (*kernel)(P...), dim3 grid, dim3 block, size_t shared, void*, const A&... arguments) {
  using Call = std::pair<void (*)(P...), std::tuple<P...>>;
  const Call call(kernel, std::tuple<P...>(arguments...));
  const auto thread = [](const void* context) {
    const auto* own = static_cast<const Call*>(context);
    std::apply(own->first, own->second);
  };
  return cuda_emulator::run({grid, block, shared, reinterpret_cast<const void*>(kernel)}, thread, &call);
}

template <typename... P>
cudaError_t allow_shared(void (*kernel)(P...), size_t shared) {
  return cudaFuncSetAttribute(reinterpret_cast<const void*>(kernel), cudaFuncAttributeMaxDynamicSharedMemorySize,
                              static_cast<int>(shared));
}

}  // namespace ptfast

#define PTFAST_DYNAMIC_SHARED(T, name) T* const name = reinterpret_cast<T*>(cuda_emulator::dynamic_shared())
