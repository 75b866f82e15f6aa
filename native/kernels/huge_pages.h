// Memory for large tables that are read anywhere: on huge pages where the system has them, so that a read misses a
// cache, but not the table of pages too.
//
// Fresh from the system: what malloc has had in use before lies on small pages already. Small tables are malloc's.
//
// Everything here is in an anonymous namespace: see the rules in sardonyx/kernel.h.
#pragma once

#include <cstdint>
#include <cstdlib>

#if __has_include(<sys/mman.h>)
#include <sys/mman.h>
#endif

namespace sardonyx {
namespace {

constexpr std::size_t kHugePage = std::size_t{1} << 21;

struct HugePages {
  void* data = nullptr;  // nullptr: there is no memory
  std::size_t size = 0;  // 0: malloc's
};

#ifdef MADV_HUGEPAGE
// One page more than is needed is asked for, and what lies before and behind the first whole pages given back.
inline HugePages allocate_huge(std::size_t bytes) {
  if (bytes < kHugePage) return {std::malloc(bytes), 0};
  const std::size_t size = (bytes + kHugePage - 1) / kHugePage * kHugePage;
  void* got = mmap(nullptr, size + kHugePage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (got == MAP_FAILED) return {};
  char* begin = static_cast<char*>(got);
  const std::size_t before = (kHugePage - reinterpret_cast<std::uintptr_t>(begin) % kHugePage) % kHugePage;
  if (before > 0) munmap(begin, before);
  munmap(begin + before + size, kHugePage - before);
  madvise(begin + before, size, MADV_HUGEPAGE);  // a hint, which may be refused
  return {begin + before, size};
}

inline void release_huge(const HugePages& pages) {
  pages.size == 0 ? std::free(pages.data) : static_cast<void>(munmap(pages.data, pages.size));
}
#else
inline HugePages allocate_huge(std::size_t bytes) { return {std::malloc(bytes), 0}; }

inline void release_huge(const HugePages& pages) { std::free(pages.data); }
#endif

}  // namespace
}  // namespace sardonyx
