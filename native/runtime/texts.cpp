#include "runtime/texts.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <clocale>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <string_view>
#if defined(__APPLE__)
#include <xlocale.h>
#endif

#include "runtime/error.h"
#include "sardonyx/made_text.h"

namespace sardonyx {
namespace {

constexpr std::int64_t kPage = std::int64_t{1} << 16;
constexpr std::int64_t kMostBytes = std::int64_t{1} << 30;  // of a block of rows

std::int64_t copy(std::string_view text, char* to) {
  std::memcpy(to, text.data(), text.size());
  return static_cast<std::int64_t>(text.size());
}

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

std::string_view trimmed(const Text& text) {
  std::string_view view(text.data, static_cast<std::size_t>(text.size));
  while (!view.empty() && is_space(view.front())) view.remove_prefix(1);
  while (!view.empty() && is_space(view.back())) view.remove_suffix(1);
  return view;
}

template <class T>
bool read_integer(const Text& text, T* to) {
  std::string_view view = trimmed(text);
  if (!view.empty() && view.front() == '+') {
    view.remove_prefix(1);
    if (!view.empty() && view.front() == '-') return false;
  }
  const auto [end, error] = std::from_chars(view.data(), view.data() + view.size(), *to);
  return error == std::errc() && end == view.data() + view.size();
}

}  // namespace

char* TextPages::take(std::int64_t bytes) {
  if (bytes < 0 || bytes > kMostBytes - total_) throw Error("the texts that it makes take more than a gigabyte");
  total_ += bytes;
  if (bytes > left_) {
    left_ = std::max(bytes, kPage);
    pages_.push_back(std::unique_ptr<char[]>(new char[static_cast<std::size_t>(left_)]));
    free_ = pages_.back().get();
  }
  char* taken = free_;
  free_ += bytes;
  left_ -= bytes;
  return taken;
}

void TextPages::clear() {
  pages_.clear();
  free_ = nullptr;
  left_ = total_ = 0;
}

void KeptTexts::keep(TextPages& pages) {
  const std::lock_guard lock(mutex_);
  std::move(pages.pages_.begin(), pages.pages_.end(), std::back_inserter(pages_));
  pages.clear();
}

char* make_text(const Context& context, std::int64_t bytes) {
  if (context.texts == nullptr) throw Error("a step that makes text has no place for it");
  return context.texts->take(bytes);
}

std::int64_t write_number(double value, char* to) {
  if (std::isnan(value)) return copy("NaN", to);
  if (std::isinf(value)) return copy(value < 0 ? "-INF" : "INF", to);
  return std::to_chars(to, to + kMostDigits, value, std::chars_format::general, 8).ptr - to;
}

std::int64_t write_number(std::int64_t value, char* to) { return std::to_chars(to, to + kMostDigits, value).ptr - to; }
std::int64_t write_number(std::uint64_t value, char* to) { return std::to_chars(to, to + kMostDigits, value).ptr - to; }

// strtod of the C locale, as the library's own std::from_chars has no floats everywhere.
bool read_number(const Text& text, double* to) {
  constexpr std::size_t kMost = 512;
  static const locale_t plain = newlocale(LC_ALL_MASK, "C", nullptr);
  const std::string_view view = trimmed(text);
  if (view.empty() || view.size() >= kMost) return false;
  char copied[kMost];
  std::memcpy(copied, view.data(), view.size());
  copied[view.size()] = '\0';
  char* end = nullptr;
  *to = strtod_l(copied, &end, plain);
  return end == copied + view.size();
}

bool read_number(const Text& text, std::int64_t* to) { return read_integer(text, to); }
bool read_number(const Text& text, std::uint64_t* to) { return read_integer(text, to); }

}  // namespace sardonyx
