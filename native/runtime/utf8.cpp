#include "runtime/utf8.h"

#include <cstdint>

namespace sardonyx {
namespace {

int length_of(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead < 0xE0) return 2;
  if (lead >= 0xE0 && lead < 0xF0) return 3;
  if (lead >= 0xF0 && lead < 0xF5) return 4;
  return 0;
}

// The second byte's range depends on the lead: overlong forms, surrogates and the end of Unicode are cut off there.
bool legal_second(unsigned char lead, unsigned char second) {
  const unsigned char low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const unsigned char high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  return second >= low && second <= high;
}

}  // namespace

bool is_utf8(const char* bytes, std::size_t size) {
  const auto* at = reinterpret_cast<const unsigned char*>(bytes);
  const unsigned char* end = at + size;
  while (at < end) {
    const int length = length_of(*at);
    if (length == 0 || end - at < length) return false;
    if (length > 1 && !legal_second(at[0], at[1])) return false;
    for (int i = 2; i < length; ++i) {
      if ((at[i] & 0xC0) != 0x80) return false;
    }
    at += length;
  }
  return true;
}

}  // namespace sardonyx
