#include "runtime/cpu.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

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

#if defined(__x86_64__)
// Asked of the processor itself: Zig links a __builtin_cpu_supports that always says no.
struct Registers {
  unsigned a = 0, b = 0, c = 0, d = 0;
};

Registers cpuid(unsigned leaf) {
  Registers r;
  if (__get_cpuid_count(leaf, 0, &r.a, &r.b, &r.c, &r.d) == 0) return {};
  return r;
}

bool all(unsigned word, unsigned bits) { return (word & bits) == bits; }

// Whether the operating system keeps these register files when it switches threads; XGETBV exists if it says OSXSAVE.
bool system_keeps(unsigned files) {
  if (!all(cpuid(1).c, bit_OSXSAVE)) return false;
  unsigned low = 0, high = 0;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return all(low, files);
}

// The levels are x86-64-v3 and -v4 of the psABI.
bool has_v3() {
  return system_keeps(0x06) && all(cpuid(1).c, bit_FMA | bit_MOVBE | bit_POPCNT | bit_F16C | bit_AVX) &&
         all(cpuid(7).b, bit_BMI | bit_AVX2 | bit_BMI2) && all(cpuid(0x80000001).c, bit_LZCNT);
}

bool has_v4() {
  return system_keeps(0xe6) && all(cpuid(7).b, bit_AVX512F | bit_AVX512DQ | bit_AVX512CD | bit_AVX512BW | bit_AVX512VL);
}
#endif

}  // namespace

Isa detect_isa() {
#if defined(__x86_64__)
  if (!has_v3()) return Isa::generic;
  return has_v4() ? Isa::avx512 : Isa::avx2;
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
