// Validity of UTF-8 (RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF).
#pragma once

#include <cstddef>
#include <cstdint>

namespace sardonyx {

bool is_utf8(const char* bytes, std::size_t size);

// Arrow's view of a text: its length, an int32; then the text itself if that is short, else where it lies.
constexpr std::int32_t kViewSize = 16, kShortView = 12;

// Whether all the short texts that views hold are UTF-8, at a glance; false also where nobody can tell so fast.
bool short_views_are_utf8(const char* views, std::int64_t count);

}  // namespace sardonyx
