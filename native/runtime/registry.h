// Where kernels are found by name. Filled by the static initialisers of the kernel files, read-only afterwards.
#pragma once

#include <vector>

#include "sardonyx/kernel.h"

namespace sardonyx {

struct KernelEntry {
  const char* name;
  Isa isa;
  Kernel kernel;
};

// The best variant of a kernel that a machine of level `at_most` runs; nullptr when there is none.
const KernelEntry* find_kernel(const char* name, Isa at_most);

const std::vector<KernelEntry>& all_kernels();

}  // namespace sardonyx
