#include "python/strip.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "python/utf8.h"
#include "runtime/error.h"

namespace sardonyx::python {
namespace {

struct Boolean {  // a byte that is 0 or 1: another type than uint8, since casts to it have rules of their own
  std::uint8_t value;
};

template <class T>
struct Type {
  using type = T;
};

// Calls f(Type<T>{}) with the C++ type of a dtype of numbers.
template <class F>
auto with_type(DType dtype, F&& f) {
  switch (dtype) {
    case DType::f32: return f(Type<float>{});
    case DType::f64: return f(Type<double>{});
    case DType::i8: return f(Type<std::int8_t>{});
    case DType::i16: return f(Type<std::int16_t>{});
    case DType::i32: return f(Type<std::int32_t>{});
    case DType::i64: return f(Type<std::int64_t>{});
    case DType::u8: return f(Type<std::uint8_t>{});
    case DType::u16: return f(Type<std::uint16_t>{});
    case DType::u32: return f(Type<std::uint32_t>{});
    case DType::u64: return f(Type<std::uint64_t>{});
    case DType::boolean: return f(Type<Boolean>{});
    case DType::f16:
    case DType::bf16:
    case DType::text: break;
  }
  throw Error("text where numbers are expected");
}

template <class T>
T load(const void* at) {  // buffers of other libraries need not be aligned
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

// ---- exact casts: those of inputs._same -----------------------------------------------------------------------------

template <class From, class To>
bool keep(From value, To* to) {
  if constexpr (std::is_same_v<From, Boolean>) {
    return keep<std::uint8_t>(value.value, to);
  } else if constexpr (std::is_same_v<To, Boolean>) {
    to->value = value == From(1);
    return value == From(0) || value == From(1);
  } else if constexpr (std::is_floating_point_v<From> && std::is_floating_point_v<To>) {
    *to = static_cast<To>(value);
    return static_cast<From>(*to) == value || value != value;
  } else if constexpr (std::is_floating_point_v<From>) {
    constexpr From lowest = static_cast<From>(std::numeric_limits<To>::min());
    const From past = std::ldexp(From(1), std::numeric_limits<To>::digits);
    if (!(value >= lowest && value < past && std::floor(value) == value)) return false;
    *to = static_cast<To>(value);
    return true;
  } else if constexpr (std::is_floating_point_v<To>) {
    *to = static_cast<To>(value);
    const To past = std::ldexp(To(1), std::numeric_limits<From>::digits);
    return std::fabs(*to) < past && static_cast<From>(*to) == value;
  } else {
    *to = static_cast<To>(value);
    return std::in_range<To>(value);
  }
}

template <class T>
bool keep_nothing(T* to) {
  if constexpr (std::is_floating_point_v<T>) {
    *to = std::numeric_limits<T>::quiet_NaN();
    return true;
  } else {
    return false;
  }
}

// ---- who is missing -------------------------------------------------------------------------------------------------

bool bit(const void* bits, std::int64_t at) {
  return (static_cast<const std::uint8_t*>(bits)[at >> 3] >> (at & 7) & 1) != 0;
}

bool has_missing(const Strip& strip) { return strip.valid != nullptr || strip.gone != nullptr; }

// ---- numbers --------------------------------------------------------------------------------------------------------

template <class From, class To>
bool read_as(const Strip& strip, To* to, std::int64_t step) {
  const auto* from = static_cast<const std::byte*>(strip.values) + strip.first * strip.stride;
  const bool checks = has_missing(strip);
  bool fits = true;
  for (std::int64_t i = 0; fits && i < strip.count; ++i, from += strip.stride, to += step) {
    fits = checks && is_missing(strip, i) ? keep_nothing(to) : keep(load<From>(from), to);
  }
  return fits;
}

template <class To>
bool read_bits(const Strip& strip, To* to, std::int64_t step) {
  const bool checks = has_missing(strip);
  bool fits = true;
  for (std::int64_t i = 0; fits && i < strip.count; ++i, to += step) {
    fits = checks && is_missing(strip, i) ? keep_nothing(to) : keep(Boolean{bit(strip.values, strip.first + i)}, to);
  }
  return fits;
}

// ---- codes ----------------------------------------------------------------------------------------------------------

// The place in the dictionary; -1 for a missing value.
template <class Code>
std::int64_t code_at(const Strip& strip, std::int64_t at) {
  if (is_missing(strip, at)) return -1;
  const auto code = load<Code>(static_cast<const std::byte*>(strip.values) + (strip.first + at) * strip.stride);
  if (std::cmp_less(code, 0) && strip.negative_is_missing) return -1;
  if (std::cmp_less(code, 0) || std::cmp_greater_equal(code, strip.dictionary->count)) {
    throw Error("code " + std::to_string(code) + " is not in the dictionary, which has " +
                std::to_string(strip.dictionary->count) + " entries");
  }
  return static_cast<std::int64_t>(code);
}

// Calls f(Type<T>{}) with the integer type of a strip's codes.
template <class F>
auto with_code(const Strip& strip, F&& f) {
  return with_type(strip.dtype, [&]<class T>(Type<T> type) {
    if constexpr (std::is_integral_v<T>) {
      return f(type);
    } else {
      throw Error("codes that are no integers");
      return f(Type<std::int64_t>{});
    }
  });
}

std::int64_t code_at(const Strip& strip, std::int64_t at) {
  return with_code(strip, [&]<class T>(Type<T>) { return code_at<T>(strip, at); });
}

template <class T>
struct Entry {
  T value{};
  Item item = Item::missing;
};

// Reads a coded strip. Every entry of the dictionary is read once, unless there are fewer rows than entries.
template <class T, class ReadEntry, class Write>
bool read_coded(const Strip& strip, ReadEntry&& read_entry, Write&& write) {
  const auto entry_at = [&](std::int64_t code) {
    Entry<T> entry;
    entry.item = read_entry(code, &entry.value);
    return entry;
  };
  const std::int64_t size = strip.dictionary->count;
  std::vector<Entry<T>> entries;
  for (std::int64_t i = 0; size <= strip.count && i < size; ++i) entries.push_back(entry_at(i));
  const Entry<T> missing;
  return with_code(strip, [&]<class Code>(Type<Code>) {
    bool fits = true;
    for (std::int64_t i = 0; fits && i < strip.count; ++i) {
      const std::int64_t code = code_at<Code>(strip, i);
      if (code < 0) {
        fits = write(i, missing);
      } else {
        fits = entries.empty() ? write(i, entry_at(code)) : write(i, entries[code]);
      }
    }
    return fits;
  });
}

// ---- text -----------------------------------------------------------------------------------------------------------

template <class Offset>
Text text_by_offsets(const Strip& strip, std::int64_t place) {
  const auto* offsets = static_cast<const std::byte*>(strip.values) + place * sizeof(Offset);
  const auto begin = load<Offset>(offsets), end = load<Offset>(offsets + sizeof(Offset));
  if (begin < 0 || end < begin) throw Error("the offsets of its texts go backwards");
  if (end > begin && strip.bytes == nullptr) throw Error("its texts have no bytes");
  return {strip.bytes + (strip.bytes == nullptr ? 0 : begin), static_cast<std::int64_t>(end - begin)};
}

// A view: length, then the text itself if it is short, else its first four bytes, the buffer's number and the place.
Text text_by_view(const Strip& strip, std::int64_t place) {
  const auto* view = static_cast<const char*>(strip.values) + place * kViewSize;
  const auto size = load<std::int32_t>(view);
  if (size < 0) throw Error("the size of a text is negative");
  if (size <= kShortView) return {view + 4, size};
  const auto number = load<std::int32_t>(view + 8), begin = load<std::int32_t>(view + 12);
  if (number < 0 || number >= strip.n_buffers || begin < 0 || strip.sizes[number] < std::int64_t{begin} + size ||
      strip.buffers[number] == nullptr) {
    throw Error("a text lies outside its buffers");
  }
  return {static_cast<const char*>(strip.buffers[number]) + begin, size};
}

Text text_at(const Strip& strip, std::int64_t at) {
  const std::int64_t place = strip.first + at;
  switch (strip.layout) {
    case Layout::offsets32: return text_by_offsets<std::int32_t>(strip, place);
    case Layout::offsets64: return text_by_offsets<std::int64_t>(strip, place);
    case Layout::views: return text_by_view(strip, place);
    default: return static_cast<const Text*>(strip.values)[place];
  }
}

void require_all_utf8(const Strip& strip, const Text& missing, const Text* texts, std::int64_t step) {
  if (strip.layout == Layout::texts) return;
  if (strip.layout == Layout::views) {
    const auto* views = static_cast<const char*>(strip.values) + strip.first * kViewSize;
    return require_utf8_views(views, texts, strip.count, step);
  }
  require_utf8(texts, strip.count, step, missing);
}

template <Layout layout>
void find_texts(const Strip& strip, const Text& missing, Text* to, std::int64_t step) {
  const bool checks = has_missing(strip);
  Strip known = strip;
  known.layout = layout;  // a constant: the switch in text_at goes away
  for (std::int64_t i = 0; i < strip.count; ++i) {
    to[i * step] = checks && is_missing(strip, i) ? missing : text_at(known, i);
  }
  require_all_utf8(known, missing, to, step);
}

bool all_nan(const Strip& strip) {
  for (std::int64_t i = 0; i < strip.count; ++i) {
    double value = 0;
    if (read_number(strip, i, DType::f64, &value) == Item::unfit || value == value) return false;
  }
  return true;
}

bool is_real(const Strip& strip) {
  return strip.layout == Layout::numbers && strip.dictionary == nullptr &&
         (strip.dtype == DType::f32 || strip.dtype == DType::f64);
}

}  // namespace

Strip strip_of_texts(const Text* texts, std::int64_t count) {
  Strip strip;
  strip.layout = Layout::texts;
  strip.dtype = DType::text;
  strip.count = count;
  strip.stride = sizeof(Text);
  strip.values = texts;
  return strip;
}

bool is_missing(const Strip& strip, std::int64_t at) {
  if (strip.valid != nullptr && !bit(strip.valid, strip.first + at)) return true;
  return strip.gone != nullptr && strip.gone[(strip.first + at) * strip.gone_stride] != 0;
}

bool holds_text(const Strip& strip) {
  if (strip.dictionary != nullptr) return holds_text(*strip.dictionary);
  return strip.layout != Layout::nulls && strip.layout != Layout::numbers && strip.layout != Layout::bits;
}

DType dtype_of(const Strip& strip) {
  if (strip.dictionary != nullptr) return dtype_of(*strip.dictionary);
  return strip.layout == Layout::bits ? DType::boolean : strip.dtype;
}

bool lies_as(const Strip& strip, DType dtype) {
  const bool same =
      dtype == DType::text ? strip.layout == Layout::texts : strip.layout == Layout::numbers && strip.dtype == dtype;
  if (!same || strip.dictionary != nullptr) return false;
  const std::size_t size = item_size(dtype);
  const auto* begin = static_cast<const std::byte*>(strip.values) + strip.first * strip.stride;
  return !has_missing(strip) && (strip.stride == static_cast<std::int64_t>(size) || strip.count == 1) &&
         reinterpret_cast<std::uintptr_t>(begin) % size == 0;
}

Item read_number(const Strip& strip, std::int64_t at, DType dtype, void* to) {
  if (strip.dictionary != nullptr) {
    const std::int64_t code = code_at(strip, at);
    return code < 0 ? Item::missing : read_number(*strip.dictionary, code, dtype, to);
  }
  if (strip.layout == Layout::nulls || is_missing(strip, at)) return Item::missing;
  if (holds_text(strip)) return Item::unfit;
  Strip one = strip;
  one.first += at;
  one.count = 1;
  return read_numbers(one, dtype, to, 1) ? Item::fits : Item::unfit;
}

Item read_text(const Strip& strip, std::int64_t at, Text* to) {
  if (strip.dictionary != nullptr) {
    const std::int64_t code = code_at(strip, at);
    return code < 0 ? Item::missing : read_text(*strip.dictionary, code, to);
  }
  if (strip.layout == Layout::nulls || is_missing(strip, at)) return Item::missing;
  if (!holds_text(strip)) return Item::unfit;
  *to = text_at(strip, at);
  if (strip.layout != Layout::texts) require_utf8(*to);
  return Item::fits;
}

bool read_numbers(const Strip& strip, DType dtype, void* to, std::int64_t step) {
  if (strip.count == 0) return true;
  return with_type(dtype, [&]<class To>(Type<To>) {
    auto* out = static_cast<To*>(to);
    if (strip.dictionary != nullptr) {
      return read_coded<To>(
          strip, [&](std::int64_t at, To* value) { return read_number(*strip.dictionary, at, dtype, value); },
          [&](std::int64_t i, const Entry<To>& entry) {
            out[i * step] = entry.value;
            return entry.item == Item::fits || (entry.item == Item::missing && keep_nothing(out + i * step));
          });
    }
    if (strip.layout == Layout::bits) return read_bits(strip, out, step);
    if (strip.layout == Layout::numbers) {
      return with_type(strip.dtype, [&]<class From>(Type<From>) { return read_as<From>(strip, out, step); });
    }
    if (strip.layout != Layout::nulls) return false;
    for (std::int64_t i = 0; i < strip.count; ++i) {
      if (!keep_nothing(out + i * step)) return false;
    }
    return true;
  });
}

bool read_texts(const Strip& strip, const Text& missing, Text* to, std::int64_t step) {
  if (strip.count == 0) return true;
  if (strip.dictionary != nullptr) {
    return read_coded<Text>(
        strip, [&](std::int64_t at, Text* value) { return read_text(*strip.dictionary, at, value); },
        [&](std::int64_t i, const Entry<Text>& entry) {
          to[i * step] = entry.item == Item::missing ? missing : entry.value;
          return entry.item != Item::unfit;
        });
  }
  switch (strip.layout) {
    case Layout::offsets32: find_texts<Layout::offsets32>(strip, missing, to, step); return true;
    case Layout::offsets64: find_texts<Layout::offsets64>(strip, missing, to, step); return true;
    case Layout::views: find_texts<Layout::views>(strip, missing, to, step); return true;
    case Layout::texts: find_texts<Layout::texts>(strip, missing, to, step); return true;
    case Layout::nulls: break;
    default:  // a column of text in which nothing is present comes as NaN
      if (!is_real(strip) || !all_nan(strip)) return false;
  }
  for (std::int64_t i = 0; i < strip.count; ++i) to[i * step] = missing;
  return true;
}

bool keep_integer(std::int64_t value, DType dtype, void* to) {
  return with_type(dtype, [&]<class T>(Type<T>) { return keep(value, static_cast<T*>(to)); });
}

bool keep_real(double value, DType dtype, void* to) {
  return with_type(dtype, [&]<class T>(Type<T>) { return keep(value, static_cast<T*>(to)); });
}

bool keep_missing(DType dtype, void* to) {
  return with_type(dtype, [&]<class T>(Type<T>) { return keep_nothing(static_cast<T*>(to)); });
}

}  // namespace sardonyx::python
