// Polynomial: y[r, q] = a polynomial of degree d in the features of x[r], all coefficients at hand, in float64.
//
// It is homogeneous in the n = F + 1 variables z = (x, 1). Of the factors of a monomial, in ascending order, the first
// (k) and the last (i) are summed over by vectors, those between them (the prefix, d - 2 of them) one at a time:
//
//   y = sum over prefixes j1 <= .. <= jm of  z[j1] .. z[jm]  *  sum over k <= j1, i >= jm of  z[k] B[k, i] z[i]
//
// (Of degree 2 there is one prefix, of nothing, and all k and i meet.) Inputs x and the blocks B of every output,
// prefix after prefix in lexicographic order. prepare() lays them out in panels, as many columns i as a vector has
// lanes:
//
//   block   panel of i = 0 .. L-1: B[0, 0..L) B[1, 0..L) ...     panel of i = L .. 2L-1     ...
//
// from the panel of jm on; what lies before jm is 0. A block is met by all rows before the next one.
#include <cstring>

#include "kernels/check.h"
#include "kernels/memory.h"
#include "simd/vector.h"

namespace sardonyx {
namespace {

constexpr const char* kName = "Polynomial";
constexpr int kL = kLanes<double>;
constexpr int kTile = 4;            // rows that share the load of a panel
constexpr std::int64_t kRows = 32;  // of a block
constexpr std::int64_t kMostDegree = 8, kMostNumbers = std::int64_t{1} << 32;

template <int R>
constexpr int kPanels = R == 1   ? 8
                        : R == 2 ? 4
                                 : 3;

// Goes through the prefixes in order: begin() ... next() until it returns false.
struct Prefix {
  std::int64_t n, length, j[kMostDegree];

  std::int64_t first() const { return length > 0 ? j[0] : n - 1; }
  std::int64_t last() const { return length > 0 ? j[length - 1] : 0; }
  bool next() {
    std::int64_t at = length - 1;
    while (at >= 0 && j[at] == n - 1) --at;
    if (at < 0) return false;
    const std::int64_t value = j[at] + 1;
    for (; at < length; ++at) j[at] = value;
    return true;
  }
};

Prefix begin_of(std::int64_t n, std::int64_t degree) { return {n, degree - 2, {}}; }

struct Packed {
  std::int64_t n, width, degree, outputs;  // width: n rounded up to whole vectors
  double* panels;
};

std::int64_t width_of(std::int64_t n) { return (n + kL - 1) / kL * kL; }

// Numbers of a block, or of its panels.
std::int64_t size_of(const Prefix& at) { return (at.first() + 1) * (at.n - at.last()); }
std::int64_t packed_size_of(const Prefix& at, std::int64_t width) {
  return (at.first() + 1) * (width - at.last() / kL * kL);
}

void check_polynomial(const Step& step) {
  require_counts(step, kName, 2, 1, 1);
  require_row_output(step, kName);
  const Tensor &x = step.inputs[0], &b = step.inputs[1], &y = step.outputs[0];
  require(x.dtype == DType::f64 && b.dtype == DType::f64 && y.dtype == DType::f64, kName, "takes float64");
  require(!x.constant && b.constant, kName, "X is a row, the blocks are constant");
  require(in_range(integer_param(step, 0), 2, kMostDegree), kName, "the degree is between 2 and 8");
  require(in_range(x.width, 0, std::int64_t{1} << 20) && y.width > 0, kName, "a size is out of range");
  std::int64_t size = 0;
  for (Prefix at = begin_of(x.width + 1, step.params[0].i);;) {
    size += size_of(at);
    require(size <= b.width && size <= kMostNumbers, kName, "there are fewer coefficients than monomials");
    if (!at.next()) break;
  }
  require(covers(y.width, size, 1, b.width), kName, "coefficients do not fit the output");
}

// Lays one block out in panels; returns the end of its numbers.
const double* pack_block(const double* from, const Prefix& at, double* to) {
  const std::int64_t count = at.first() + 1, start = at.last() / kL * kL;
  for (std::int64_t k = 0; k < count; ++k) {
    for (std::int64_t i = at.last(); i < at.n; ++i) to[((i - start) / kL * count + k) * kL + i % kL] = *from++;
  }
  return from;
}

void* prepare_polynomial(const Step& step) {
  const std::int64_t n = step.inputs[0].width + 1, width = width_of(n), degree = step.params[0].i;
  const std::int64_t outputs = step.outputs[0].width;
  std::int64_t size = 0;
  for (Prefix at = begin_of(n, degree);;) {
    size += packed_size_of(at, width);
    if (!at.next()) break;
  }
  auto* packed =
      allocate_state<Packed>(static_cast<std::size_t>(size * outputs) * sizeof(double), kName, "the coefficients");
  *packed = {n, width, degree, outputs, reinterpret_cast<double*>(arrays_of(packed))};
  const auto* from = data_of<const double>(step.inputs[1]);
  double* to = packed->panels;
  for (std::int64_t q = 0; q < outputs; ++q) {
    for (Prefix at = begin_of(n, degree);;) {
      from = pack_block(from, at, to);
      to += packed_size_of(at, width);
      if (!at.next()) break;
    }
  }
  return packed;
}

// R rows against P panels of `count` vectors each, whose columns begin at z + i; `weight` is the prefix of each row.
// A function of its own, which has all registers for itself.
template <int R, int P>
[[gnu::noinline]] void tile(const double* z, std::int64_t width, std::int64_t i, const double* panel,
                            std::int64_t count, const double* weight, double* sums) {
  Vector<double> t[R][P];
  for (int r = 0; r < R; ++r) {
    for (int p = 0; p < P; ++p) t[r][p] = Vector<double>{};
  }
  for (std::int64_t k = 0; k < count; ++k) {
    Vector<double> b[P];
    for (int p = 0; p < P; ++p) b[p] = load(panel + (p * count + k) * kL);
    for (int r = 0; r < R; ++r) {
      const Vector<double> value = broadcast(z[r * width + k]);
      for (int p = 0; p < P; ++p) t[r][p] = multiply_add(value, b[p], t[r][p]);
    }
  }
  for (int r = 0; r < R; ++r) {
    const Vector<double> by = broadcast(weight[r]);
    Vector<double> total = load<double>(sums + r * kL);
    for (int p = 0; p < P; ++p) total = multiply_add(load(z + r * width + i + p * kL) * by, t[r][p], total);
    store(sums + r * kL, total);
  }
}

template <int R>
void tiles(const double* z, const Prefix& at, const double* panel, const Packed& packed, double* sums) {
  constexpr int P = kPanels<R>;
  const std::int64_t count = at.first() + 1, width = packed.width, stride = count * kL;
  double weight[R];
  for (int r = 0; r < R; ++r) {
    weight[r] = 1;
    for (std::int64_t m = 0; m < at.length; ++m) weight[r] *= z[r * width + at.j[m]];
  }
  std::int64_t i = at.last() / kL * kL;
  for (; i + P * kL <= width; i += P * kL, panel += P * stride) tile<R, P>(z, width, i, panel, count, weight, sums);
  if (P > 4 && i + 4 * kL <= width) {
    tile<R, 4>(z, width, i, panel, count, weight, sums);
    i += 4 * kL;
    panel += 4 * stride;
  }
  if (i + 2 * kL <= width) {
    tile<R, 2>(z, width, i, panel, count, weight, sums);
    i += 2 * kL;
    panel += 2 * stride;
  }
  for (; i < width; i += kL, panel += stride) tile<R, 1>(z, width, i, panel, count, weight, sums);
}

void rows_against(const double* z, std::int64_t rows, const Prefix& at, const double* panel, const Packed& packed,
                  double* sums) {
  std::int64_t r = 0;
  const std::int64_t width = packed.width;
  for (; r + kTile <= rows; r += kTile) tiles<kTile>(z + r * width, at, panel, packed, sums + r * kL);
  switch (rows - r) {
    case 3: return tiles<3>(z + r * width, at, panel, packed, sums + r * kL);
    case 2: return tiles<2>(z + r * width, at, panel, packed, sums + r * kL);
    case 1: return tiles<1>(z + r * width, at, panel, packed, sums + r * kL);
    default: return;
  }
}

void run_polynomial(const Step& step, std::int64_t rows, const Context& context) {
  const auto& packed = *static_cast<const Packed*>(context.state);
  const std::int64_t n = packed.n, width = packed.width;
  const auto* x = data_of<const double>(step.inputs[0]);
  auto* y = data_of<double>(step.outputs[0]);
  auto *sums = static_cast<double*>(context.scratch), *z = sums + kRows * kL;
  for (std::int64_t first = 0; first < rows; first += kRows, x += kRows * (n - 1), y += kRows * packed.outputs) {
    const std::int64_t count = rows - first < kRows ? rows - first : kRows;
    for (std::int64_t r = 0; r < count; ++r) {
      double* to = z + r * width;
      std::memcpy(to, x + r * (n - 1), static_cast<std::size_t>(n - 1) * sizeof(double));
      to[n - 1] = 1;
      for (std::int64_t i = n; i < width; ++i) to[i] = 0;
    }
    const double* panel = packed.panels;
    for (std::int64_t q = 0; q < packed.outputs; ++q) {
      std::memset(sums, 0, static_cast<std::size_t>(count * kL) * sizeof(double));
      for (Prefix at = begin_of(n, packed.degree);;) {
        rows_against(z, count, at, panel, packed, sums);
        panel += packed_size_of(at, width);
        if (!at.next()) break;
      }
      for (std::int64_t r = 0; r < count; ++r) y[r * packed.outputs + q] = sum(load(sums + r * kL));
    }
  }
}

std::size_t scratch_polynomial(const Step& step, std::int64_t) {
  return static_cast<std::size_t>(kRows * (kL + width_of(step.inputs[0].width + 1))) * sizeof(double);
}

double cost_polynomial(const Step& step) { return 10 + static_cast<double>(step.inputs[1].width) / (5 * kL); }

SARDONYX_KERNEL("Polynomial", {.check = check_polynomial,
                               .run = run_polynomial,
                               .scratch = scratch_polynomial,
                               .prepare = prepare_polynomial,
                               .release = release_memory,
                               .cost = cost_polynomial});

}  // namespace
}  // namespace sardonyx
