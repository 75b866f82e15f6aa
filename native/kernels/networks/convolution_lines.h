// How the windows of one channel become lines of vectors, and the copy of x whose lines they are read from
// (convolution.cpp draws both).
#pragma once

#include <cstring>

#include "kernels/networks/windows.h"

namespace sardonyx {
namespace {

constexpr std::int64_t kWideWins = 8;  // percent that writing windows of several rows costs

// How the windows of one channel become lines of vectors.
struct Layout {
  bool copied;                                // x is not read in place
  std::int64_t phases[kAxes], length[kAxes];  // of the copy of a channel: parts, and their sizes
  int joined;                                 // axes that a line runs over
  bool wide;                                  // a line has places between two rows of windows
  std::int64_t lines, line;                   // their number, and the windows of one
  std::int64_t channel;                       // elements from one channel to the next

  std::int64_t part() const { return length[0] * length[1] * length[2]; }
};

inline void join(const Windows& windows, int joined, Layout& layout) {
  const Window* w = windows.axes;
  const std::int64_t *length = layout.length, row = length[2];
  layout.joined = joined;
  layout.line = w[2].count;
  if (joined > 1) layout.line += (w[1].count - 1) * row;
  if (joined > 2) layout.line += (w[0].count - 1) * length[1] * row;
  layout.lines = joined == 1 ? w[0].count * w[1].count : joined == 2 ? w[0].count : 1;
  layout.wide = (joined > 1 && row != w[2].count) || (joined > 2 && length[1] != w[1].count);
}

inline std::int64_t vectors_of(const Layout& layout, std::int64_t lanes) {
  return layout.lines * ((layout.line + lanes - 1) / lanes);
}

inline void choose_lines(const Windows& windows, std::int64_t lanes, Layout& layout) {
  Layout best = layout;
  for (int joined = 1; joined <= kAxes; ++joined) {
    join(windows, joined, layout);
    const std::int64_t price = layout.wide ? 100 + kWideWins : 100;
    const std::int64_t known = best.wide ? 100 + kWideWins : 100;
    if (joined == 1 || vectors_of(layout, lanes) * price < vectors_of(best, lanes) * known) best = layout;
  }
  layout = best;
}

inline Layout layout_of(const Windows& windows, std::int64_t lanes) {
  Layout layout{};
  for (const Window& w : windows.axes) layout.copied |= w.stride > 1 || w.before > 0 || w.count + w.reach() > w.size;
  if (!layout.copied) {
    for (int a = 0; a < kAxes; ++a) layout.phases[a] = 1, layout.length[a] = windows.axes[a].size;
    choose_lines(windows, lanes, layout);
    layout.copied = layout.line < lanes;  // what is read beyond must be our own
  }
  if (layout.copied) {
    for (int a = 0; a < kAxes; ++a) {
      const Window& w = windows.axes[a];
      layout.phases[a] = w.stride < w.reach() + 1 ? w.stride : w.reach() + 1;
      layout.length[a] = w.count + w.reach() / w.stride;
    }
    choose_lines(windows, lanes, layout);
  }
  layout.channel = layout.part() * layout.phases[0] * layout.phases[1] * layout.phases[2];
  return layout;
}

// ---- the copy of x --------------------------------------------------------------------------------------------------

template <class T>
inline void copy_apart(const T* from, std::int64_t stride, std::int64_t n, T* to) {
  fill(
      n, to, [=](std::int64_t i) { return load_apart(from + i * stride, stride); },
      [=](std::int64_t i) { return from[i * stride]; });
}

// Places of a part that are inside of x, along each axis.
struct Inside {
  std::int64_t first[kAxes], last[kAxes];
  bool all;
};

inline Inside inside_of(const Windows& windows, const Layout& layout, const std::int64_t (&phase)[kAxes]) {
  Inside inside{{}, {}, true};
  for (int a = 0; a < kAxes; ++a) {
    const Window& w = windows.axes[a];
    inside.first[a] = places_before(w.before - phase[a], w.stride, layout.length[a]);
    inside.last[a] = places_before(w.size + w.before - phase[a], w.stride, layout.length[a]);
    inside.all &= inside.first[a] == 0 && inside.last[a] == layout.length[a];
  }
  return inside;
}

template <class T>
inline void copy_part(const T* x, const Windows& windows, const Layout& layout, const std::int64_t (&phase)[kAxes],
                      const Inside& inside, T* to) {
  const Window* w = windows.axes;
  const auto from = [&](int a) { return inside.first[a] * w[a].stride + phase[a] - w[a].before; };
  const std::int64_t n = inside.last[2] - inside.first[2], stride = w[2].stride;
  if (!inside.all) std::memset(to, 0, static_cast<std::size_t>(layout.part()) * sizeof(T));
  for (std::int64_t p0 = inside.first[0], i0 = from(0); n > 0 && p0 < inside.last[0]; ++p0, i0 += w[0].stride) {
    const T* row = x + (i0 * w[1].size + from(1)) * w[2].size + from(2);
    T* place = to + (p0 * layout.length[1] + inside.first[1]) * layout.length[2] + inside.first[2];
    for (std::int64_t p1 = inside.first[1]; p1 < inside.last[1]; ++p1) {
      copy_apart(row, stride, n, place);
      row += w[1].stride * w[2].size, place += layout.length[2];
    }
  }
}

// Channels of an image, part by part.
template <class T>
inline void copy_image(const T* x, const Windows& windows, const Layout& layout, std::int64_t first, std::int64_t last,
                       T* to) {
  const std::int64_t volume = windows.volume(), *n = layout.phases;
  for (std::int64_t i = 0; i < n[0] * n[1] * n[2]; ++i, to += layout.part()) {
    const std::int64_t phase[kAxes] = {i / (n[1] * n[2]), i / n[2] % n[1], i % n[2]};
    const Inside inside = inside_of(windows, layout, phase);
    for (std::int64_t c = first; c < last; ++c)
      copy_part(x + c * volume, windows, layout, phase, inside, to + c * layout.channel);
  }
}

}  // namespace
}  // namespace sardonyx
