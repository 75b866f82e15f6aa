// In which order NumPy leaves equal numbers: that decides which of equally near rows scikit-learn takes.
//
// Defined in the runtime, compiled once; nothing is allocated.
#pragma once

#include <cstdint>

namespace sardonyx {

// Doubles in the vectors with which NumPy sorts on this machine: 8 (AVX-512), 4 (AVX2), or 1 where it uses none.
int lanes_of_numpy();

// Sets order[0..n) to numpy.argpartition(keys, kth) of a machine with such vectors; 0 <= kth < n.
void argpartition_of(int lanes, const double* keys, std::int64_t n, std::int64_t kth, std::int64_t* order);

// Sets order[0..n) to numpy.argsort(keys) of a machine with such vectors. Without vectors, equal ones keep their order:
// so does NumPy with up to 16 of them.
void argsort_of(int lanes, const double* keys, std::int64_t n, std::int64_t* order);

}  // namespace sardonyx
