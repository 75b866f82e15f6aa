// Which instruction-set level this machine runs, and the names of the levels.
#pragma once

#include <string_view>

#include "sardonyx/kernel.h"

namespace sardonyx {

Isa detect_isa();                        // the best level of this machine
const char* isa_name(Isa isa);           // "generic" "avx2" "avx512" "neon"
Isa isa_named(std::string_view name);    // throws Error for an unknown name
Isa capped_isa(std::string_view named);  // detect_isa(), but not above `named` nor the environment's SARDONYX_ISA
bool runs_on(Isa isa, Isa machine);      // generic runs everywhere; NEON and AVX exclude each other

}  // namespace sardonyx
