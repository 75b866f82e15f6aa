// UTF-8 of code points. Lone surrogates are encoded like any other: equal strings stay equal, and Python gets them
// back.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sardonyx {

constexpr std::size_t kEncodedSlack = 16;  // bytes behind the text that may be written, too

// Encodes code points of one, two or four bytes each, none above U+10FFFF, and returns the end of the text.
char* encode_utf8(const std::uint8_t* points, std::size_t count, char* to);
char* encode_utf8(const std::uint16_t* points, std::size_t count, char* to);
char* encode_utf8(const std::uint32_t* points, std::size_t count, char* to);

}  // namespace sardonyx
