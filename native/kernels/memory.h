// Memory of what prepare() makes: a kernel's struct and all its arrays in one block, so that release() is one free().
//
//   State ...  │ arrays ...        zeroed; both begin on a line of the caches
//
// Everything here is in an anonymous namespace: see the rules in sardonyx/kernel.h.
#pragma once

#include <cstdlib>
#include <cstring>

#include "sardonyx/kernel.h"

namespace sardonyx {
namespace {

constexpr std::int64_t kLine = 64;  // bytes of a line of the caches

constexpr std::size_t whole_lines(std::size_t bytes) { return (bytes + kLine - 1) / kLine * kLine; }

// Fails where there is no memory: "Linear: not enough memory for the weights".
[[maybe_unused]] inline void* allocate_zeroed(std::size_t bytes, const char* kernel, const char* what) {
  void* memory = nullptr;
  if (posix_memalign(&memory, kLine, bytes) != 0) fail("%s: not enough memory for %s", kernel, what);
  std::memset(memory, 0, bytes);
  return memory;
}

// A State, with `bytes` for its arrays behind it.
template <class State>
inline State* allocate_state(std::size_t bytes, const char* kernel, const char* what) {
  return static_cast<State*>(allocate_zeroed(whole_lines(sizeof(State)) + bytes, kernel, what));
}

template <class State>
inline unsigned char* arrays_of(State* state) {
  return reinterpret_cast<unsigned char*>(state) + whole_lines(sizeof(State));
}

[[maybe_unused]] inline void release_memory(void* state) { std::free(state); }

}  // namespace
}  // namespace sardonyx
