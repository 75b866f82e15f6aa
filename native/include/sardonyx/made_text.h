// For kernels that make text, and those that read numbers from it.
#pragma once

#include "sardonyx/kernel.h"

namespace sardonyx {

// Bytes for a text that a step gives. They stay until the caller has read the outputs. Fails where one block of rows
// asks for very much: a small file can double texts many times.
char* make_text(const Context& context, std::int64_t bytes);

// Writes a number as ONNX Runtime casts it: eight digits, without trailing zeros, "NaN", "INF", "-INF". Returns its
// size, at most kMostDigits.
constexpr std::int64_t kMostDigits = 32;
std::int64_t write_number(double value, char* to);
std::int64_t write_number(std::int64_t value, char* to);
std::int64_t write_number(std::uint64_t value, char* to);

// Reads a number that is all of a text, but for white space around it. False if it is none, or one beyond the type.
bool read_number(const Text& text, double* to);
bool read_number(const Text& text, std::int64_t* to);
bool read_number(const Text& text, std::uint64_t* to);

}  // namespace sardonyx
