// Comparing Text.
#pragma once

#include "sardonyx/tensor.h"

namespace sardonyx {
namespace {

[[maybe_unused]] inline bool same_text(const Text& a, const Text& b) {
  return a.size == b.size &&
         (a.size == 0 || a.data == b.data || __builtin_memcmp(a.data, b.data, static_cast<std::size_t>(a.size)) == 0);
}

}  // namespace
}  // namespace sardonyx
