#include "runtime/cpu.h"

#include <cstdlib>
#include <string>

#include "runtime/error.h"

namespace sardonyx {
namespace {

constexpr const char* kNames[] = {"generic", "avx2", "avx512", "neon"};

Isa lower_of(Isa machine, Isa wanted) {
  if (!runs_on(wanted, machine)) return machine;  // asked for more than there is: the machine decides
  return wanted;
}

}  // namespace

Isa detect_isa() {
#if defined(__x86_64__) || defined(_M_X64)
  __builtin_cpu_init();
  // The levels are x86-64-v3 and -v4 of the psABI; what the compiler may use beyond AVX2 is asked for too.
  const bool v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi") &&
                  __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt");
  const bool v4 = v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                  __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
                  __builtin_cpu_supports("avx512cd");
  return v4 ? Isa::avx512 : v3 ? Isa::avx2 : Isa::generic;
#elif defined(__aarch64__)
  return Isa::neon;
#else
  return Isa::generic;
#endif
}

const char* isa_name(Isa isa) { return kNames[static_cast<int>(isa)]; }

Isa isa_named(std::string_view name) {
  for (int i = 0; i < 4; ++i) {
    if (name == kNames[i]) return static_cast<Isa>(i);
  }
  throw Error("unknown instruction set '" + std::string(name) + "'; known are generic, avx2, avx512 and neon");
}

Isa capped_isa(std::string_view named) {
  Isa isa = detect_isa();
  if (const char* environment = std::getenv("SARDONYX_ISA"); environment != nullptr && *environment != '\0') {
    isa = lower_of(isa, isa_named(environment));
  }
  if (!named.empty()) isa = lower_of(isa, isa_named(named));
  return isa;
}

bool runs_on(Isa isa, Isa machine) {
  if (isa == Isa::generic || isa == machine) return true;
  return isa < machine && machine != Isa::neon;
}

}  // namespace sardonyx
