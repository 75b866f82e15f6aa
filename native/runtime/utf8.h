// Validity of UTF-8 (RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF).
#pragma once

#include <cstddef>

namespace sardonyx {

bool is_utf8(const char* bytes, std::size_t size);

}  // namespace sardonyx
