#include "runtime/registry.h"

#include <cstdarg>
#include <cstdio>
#include <cstring>

#include "runtime/cpu.h"
#include "runtime/error.h"

namespace sardonyx {
namespace {

// A function-local static: kernel files register themselves before or after this file is initialised.
std::vector<KernelEntry>& entries() {
  static std::vector<KernelEntry> table;
  return table;
}

}  // namespace

void register_kernel(const char* name, Isa isa, const Kernel& kernel) { entries().push_back({name, isa, kernel}); }

KernelRegistration::KernelRegistration(const char* name, const Kernel& kernel, int isa) {
  register_kernel(name, static_cast<Isa>(isa), kernel);
}

const KernelEntry* find_kernel(const char* name, Isa at_most) {
  const KernelEntry* best = nullptr;
  for (const KernelEntry& entry : entries()) {
    if (std::strcmp(entry.name, name) != 0 || !runs_on(entry.isa, at_most)) continue;
    if (best == nullptr || entry.isa > best->isa) best = &entry;
  }
  return best;
}

const std::vector<KernelEntry>& all_kernels() { return entries(); }

void fail(const char* format, ...) {
  char message[512];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  throw Error(message);
}

std::int64_t integer_param(const Step& step, int index) {
  if (index >= step.n_params) fail("parameter %d is missing: %d given", index, step.n_params);
  if (step.param_kinds[index] != ParamKind::integer) fail("parameter %d is a float, an int is needed", index);
  return step.params[index].i;
}

double real_param(const Step& step, int index) {
  if (index >= step.n_params) fail("parameter %d is missing: %d given", index, step.n_params);
  if (step.param_kinds[index] != ParamKind::real) fail("parameter %d is an int, a float is needed", index);
  return step.params[index].f;
}

std::size_t item_size(DType dtype) {
  static constexpr std::uint8_t sizes[] = {0, 4, 8, 1, 2, 4, 8, 1, 2, 4, 8, 1, sizeof(Text), 2, 2};
  return sizes[static_cast<int>(dtype)];
}

}  // namespace sardonyx
