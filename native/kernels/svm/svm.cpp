// KernelSums: y[r, g * Q + q] = sum over the support vectors s of group g of dual_coef[q, s] * K(x[r], s), in float64;
// of powers and tanh also in float32, for files that say so.
//
// K is (gamma x.s + coef0)^degree, exp(-gamma |x - s|^2) or tanh(gamma x.s + coef0), as in libsvm (k_function). All
// three are functions of a product a.s plus a number of the row plus one of the vector, where a is the row times a
// number:
//
//   poly      (gamma x).s + coef0                                        its power
//   sigmoid   (2 gamma log2(e) x).s + 2 coef0 log2(e)                    t -> (2^t - 1) / (2^t + 1)
//   rbf       (2 g x).s - g |x|^2 - g |s|^2,  g = gamma log2(e)          t -> 2^t
//
// The last takes rows and vectors relative to the vectors' mean, lest squares cancel; where they still might, the gaps
// are squared themselves (see Reach). prepare() lays the support vectors out in panels of L (the lanes of a vector),
// which no group shares with another:
//
//   panel 0   s0[0] s1[0] .. sL-1[0]   s0[1] s1[1] .. sL-1[1]   ...   one vector a feature
//             -g |s0|^2 ..                                            one vector
//             c0[s0] .. c0[sL-1]       c1[s0] .. c1[sL-1]       ...   one vector a row of coefficients
//   panel 1   ...                                                     a group's last vector fills its last panel up,
//                                                                     with coefficients of 0
//
// So lanes run over support vectors: no matrix of rows by vectors is made, and a row's sums do not depend on its
// neighbours. Panels pass through the first cache in chunks, and wait there until all rows of a block have met them:
//
//   for a block of rows: for each group: for each chunk of its panels: for every 4 rows: for every 3 panels: tile()
#include <cstring>
#include <type_traits>

#include "kernels/check.h"
#include "kernels/memory.h"
#include "kernels/svm/kernel_values.h"

namespace sardonyx {
namespace {

enum Kind { kPoly = 0, kRbf = 1, kSigmoid = 2 };

template <class T>
constexpr int kL = kLanes<T>;
constexpr int kTile = 4;               // rows that share the load of panels
constexpr int kFixed = 4;              // params before the sizes of the groups
constexpr std::int64_t kRows = 32;     // of a block
constexpr std::int64_t kChunk = 2048;  // numbers of a chunk of panels: half of a first cache of 32 KiB

// Panels that R rows meet at once: with R sums each they hide the latency of the additions, and fill the registers.
template <int R>
constexpr int kPanels = R == 1   ? 8
                        : R == 2 ? 4
                                 : 3;

template <class T>
struct Packed {
  T* panels;
  std::int64_t features, coefs, groups;
  std::int64_t degree;
  T gamma;
  T scale, start;  // a = scale * x; the number of a row, but for its square
  T reach;         // of kRbf: |x|^2 up to which rows are expanded
  T* center;       // one number a feature
};

template <class T>
std::int64_t panels_of(std::int64_t vectors) {
  return (vectors + kL<T> - 1) / kL<T>;
}

// Numbers of a panel.
template <class T>
inline std::int64_t stride_of(std::int64_t features, std::int64_t coefs) {
  return kL<T> * (features + 1 + coefs);
}

template <class T>
inline std::int64_t stride_of(const Packed<T>& packed) {
  return stride_of<T>(packed.features, packed.coefs);
}

void check_sums(const Step& step) {
  constexpr const char* name = "KernelSums";
  require(step.n_inputs == 3 && step.n_outputs == 1 && step.n_params > kFixed, name,
          "takes X, support vectors and coefficients, and gives Y");
  const Tensor &x = step.inputs[0], &s = step.inputs[1], &c = step.inputs[2], &y = step.outputs[0];
  require_row_output(step, name);
  const bool narrow = x.dtype == DType::f32 && step.n_params > 0 && integer_param(step, 0) != kRbf;
  require((x.dtype == DType::f64 || narrow) && s.dtype == x.dtype && c.dtype == x.dtype && y.dtype == x.dtype, name,
          "takes float64, or float32 and another kernel than rbf");
  require(!x.constant && s.constant && c.constant && s.rank == 2 && c.rank == 2, name,
          "X is a row, the support vectors and coefficients are constant matrices");
  require(s.dims[1] == x.width && c.dims[1] == s.dims[0] && c.dims[0] >= 1, name, "shapes do not fit");
  require(in_range(integer_param(step, 0), kPoly, kSigmoid), name, "the kernel is 0, 1 or 2");
  require(in_range(integer_param(step, 1), 0, kLargest), name, "the degree is not negative");
  real_param(step, 2);
  real_param(step, 3);
  std::int64_t total = 0;
  for (int i = kFixed; i < step.n_params; ++i) {
    const std::int64_t size = integer_param(step, i);
    require(in_range(size, 0, s.dims[0]), name, "a group is larger than all");
    total += size;
    require(total <= s.dims[0], name, "the groups are larger than all");
  }
  require(total == s.dims[0], name, "the groups are not all support vectors");
  require(covers(step.n_params - kFixed, c.dims[0], 1, y.width), name, "the output does not fit the groups");
}

// ---- the layout ----------------------------------------------------------------------------------------------------

template <class T>
T square_of(const T* x, std::int64_t n) {
  T total = 0;
  for (std::int64_t i = 0; i < n; ++i) total += x[i] * x[i];
  return total;
}

// Expanding the square errs by no more than (F + 8) 2^-53 g 2 (|x|^2 + |s|^2) in the exponent of 2, which is to stay
// below 10^-11. Sets the center and how far rows may reach: nowhere (nor NaN) if the vectors themselves reach too far,
// or if kernel values may grow beyond 1.
void set_reach(Packed<double>& packed, const double* s, std::int64_t vectors) {
  const std::int64_t features = packed.features;
  for (std::int64_t v = 0; v < vectors; ++v) {
    for (std::int64_t f = 0; f < features; ++f) packed.center[f] += s[v * features + f] / static_cast<double>(vectors);
  }
  double most = 0;
  for (std::int64_t v = 0; v < vectors; ++v) {
    double square = 0;
    for (std::int64_t f = 0; f < features; ++f) {
      const double gap = s[v * features + f] - packed.center[f];
      square += gap * gap;
    }
    most = square <= most ? most : square;  // NaN stays
  }
  const double unit = static_cast<double>(features + 8) * 0x1p-52 * packed.gamma * kLog2E;
  packed.reach = 1e-11 / unit - most;
  if (unit >= 0 && packed.reach > 0) return;
  packed.reach = -1;
  std::memset(packed.center, 0, static_cast<std::size_t>(features) * sizeof(double));
}

template <class T>
void set_form(Packed<T>& packed, const Step& step) {
  const double gamma = step.params[2].f, coef0 = step.params[3].f;
  packed.gamma = static_cast<T>(gamma);
  packed.degree = step.params[1].i;
  switch (step.params[0].i) {
    case kPoly:
      packed.scale = static_cast<T>(gamma);
      packed.start = static_cast<T>(coef0);
      return;
    case kSigmoid:
      packed.scale = static_cast<T>(2 * kLog2E * gamma);
      packed.start = static_cast<T>(2 * kLog2E * coef0);
      return;
    default:
      packed.scale = static_cast<T>(2 * kLog2E * gamma);
      if constexpr (std::is_same_v<T, double>) {
        set_reach(packed, data_of<const double>(step.inputs[1]), step.inputs[1].dims[0]);
      }
  }
}

// Fills one lane of a panel; without coefficients, these stay 0.
template <class T>
void pack_vector(const Packed<T>& packed, bool squares, const T* s, const T* c, std::int64_t next, T* to) {
  const std::int64_t features = packed.features;
  T square = 0;
  for (std::int64_t f = 0; f < features; ++f) {
    const T value = to[f * kL<T>] = s[f] - packed.center[f];
    square += value * value;
  }
  if (squares) to[features * kL<T>] = T(-0.5) * packed.scale * square;
  for (std::int64_t q = 0; c != nullptr && q < packed.coefs; ++q) to[(features + 1 + q) * kL<T>] = c[q * next];
}

template <class T>
void* prepared(const Step& step) {
  const Tensor &s = step.inputs[1], &c = step.inputs[2];
  const std::int64_t features = s.dims[1], vectors = s.dims[0], groups = step.n_params - kFixed;
  std::int64_t panels = 0;
  for (std::int64_t g = 0; g < groups; ++g) panels += panels_of<T>(step.params[kFixed + g].i);
  const std::int64_t size = panels * stride_of<T>(features, c.dims[0]);
  auto* packed = allocate_state<Packed<T>>(static_cast<std::size_t>(size + features) * sizeof(T), "KernelSums",
                                           "the support vectors");
  auto* to = packed->panels = reinterpret_cast<T*>(arrays_of(packed));
  packed->center = to + size;
  packed->features = features;
  packed->coefs = c.dims[0];
  packed->groups = groups;
  set_form(*packed, step);
  const auto *from = data_of<const T>(s), *weights = data_of<const T>(c);
  const bool squares = step.params[0].i == kRbf && packed->reach >= 0;
  for (std::int64_t g = 0, v = 0; g < groups; ++g) {
    const std::int64_t end = v + step.params[kFixed + g].i;
    for (; v < end; v += kL<T>, to += stride_of(*packed)) {
      for (std::int64_t lane = 0; lane < kL<T>; ++lane) {
        const std::int64_t i = v + lane < end ? v + lane : end - 1;
        pack_vector(*packed, squares, from + i * features, v + lane < end ? weights + i : nullptr, vectors, to + lane);
      }
    }
    v = end;
  }
  return packed;
}

void* prepare_sums(const Step& step) {
  return step.inputs[0].dtype == DType::f64 ? prepared<double>(step) : prepared<float>(step);
}

// ---- tiles ---------------------------------------------------------------------------------------------------------

// R rows against P panels from `panel` on; their weighted values are added to `sums`, one vector a row and coefficient.
// A function of its own, which has all registers for itself.
template <int F, int R, int P, class T>
[[gnu::noinline]] void tile(const T* x, const T* starts, const T* panel, const Packed<T>& packed, T* sums) {
  const std::int64_t features = packed.features, coefs = packed.coefs, stride = stride_of(packed);
  Vector<T> t[R][P];
  for (int r = 0; r < R; ++r) {
    for (int p = 0; p < P; ++p)
      t[r][p] = F == kGaps ? Vector<T>{} : load(panel + p * stride + features * kL<T>) + starts[r];
  }
  for (std::int64_t f = 0; f < features; ++f) {
    Vector<T> s[P];
    for (int p = 0; p < P; ++p) s[p] = load(panel + p * stride + f * kL<T>);
    for (int r = 0; r < R; ++r) {
      const Vector<T> value = broadcast(x[r * features + f]);
      for (int p = 0; p < P; ++p) {
        Vector<T>& to = t[r][p];
        if constexpr (F == kGaps) {
          const Vector<T> gap = value - s[p];
          to = multiply_add(gap, gap, to);
        } else {
          to = multiply_add(value, s[p], to);
        }
      }
    }
  }
  T values[R * P * kL<T>];  // through memory: GCC keeps an array in registers only if nobody takes its address
  for (int r = 0; r < R; ++r) {
    for (int p = 0; p < P; ++p) store(values + (r * P + p) * kL<T>, t[r][p]);
  }
  kernel_values<F, R * P>(values, packed.degree, packed.gamma);
  const T* weights = panel + (features + 1) * kL<T>;
  for (std::int64_t q = 0; q < coefs; ++q) {
    for (int r = 0; r < R; ++r) {
      T* to = sums + (r * coefs + q) * kL<T>;
      Vector<T> total = load<T>(to);
      for (int p = 0; p < P; ++p)
        total = multiply_add(load(weights + p * stride + q * kL<T>), load(values + (r * P + p) * kL<T>), total);
      store(to, total);
    }
  }
}

template <int F, int R, class T>
void tiles(const T* x, const T* starts, const T* panel, std::int64_t count, const Packed<T>& packed, T* sums) {
  constexpr int P = kPanels<R>;
  const std::int64_t stride = stride_of(packed);
  for (; count >= P; count -= P, panel += P * stride) tile<F, R, P>(x, starts, panel, packed, sums);
  if (P > 4 && count >= 4) {
    tile<F, R, 4>(x, starts, panel, packed, sums);
    count -= 4;
    panel += 4 * stride;
  }
  if (count >= 2) {
    tile<F, R, 2>(x, starts, panel, packed, sums);
    count -= 2;
    panel += 2 * stride;
  }
  for (; count > 0; --count, panel += stride) tile<F, R, 1>(x, starts, panel, packed, sums);
}

// Rows as the tiles want them.
template <class T>
struct Block {
  T *x, *starts, *sums;
};

template <int F, int R, class T>
void tiles_at(const Block<T>& block, std::int64_t r, const T* panel, std::int64_t count, const Packed<T>& packed) {
  tiles<F, R>(block.x + r * packed.features, block.starts + r, panel, count, packed,
              block.sums + r * packed.coefs * kL<T>);
}

// Rows from `first` up to `end`, all of one form.
template <int F, class T>
void rows_against(const Block<T>& block, std::int64_t first, std::int64_t end, const T* panel, std::int64_t count,
                  const Packed<T>& packed) {
  std::int64_t r = first;
  for (; r + kTile <= end; r += kTile) tiles_at<F, kTile>(block, r, panel, count, packed);
  switch (end - r) {
    case 3: return tiles_at<F, 3>(block, r, panel, count, packed);
    case 2: return tiles_at<F, 2>(block, r, panel, count, packed);
    case 1: return tiles_at<F, 1>(block, r, panel, count, packed);
    default: return;
  }
}

// Of kRbf, rows in reach and rows out of it come in runs. The number of a row that is out of reach is infinite.
template <int F, class T>
void block_against(const Block<T>& block, std::int64_t rows, const T* panel, std::int64_t count,
                   const Packed<T>& packed) {
  if constexpr (F != kGauss) {
    rows_against<F>(block, 0, rows, panel, count, packed);
  } else {
    for (std::int64_t r = 0, end = 0; r < rows; r = end) {
      const bool far = block.starts[r] == kInfinity;
      while (end < rows && (block.starts[end] == kInfinity) == far) ++end;
      if (far) {
        rows_against<kGaps>(block, r, end, panel, count, packed);
      } else {
        rows_against<kGauss>(block, r, end, panel, count, packed);
      }
    }
  }
}

// Scales rows; of kRbf, centers those in reach before.
template <int F, class T>
void fill_block(const Block<T>& block, std::int64_t rows, const T* x, const Packed<T>& packed) {
  const std::int64_t features = packed.features;
  T* to = block.x;
  for (std::int64_t r = 0; r < rows; ++r, x += features, to += features) {
    block.starts[r] = packed.start;
    T scale = packed.scale;
    if constexpr (F == kGauss) {
      for (std::int64_t f = 0; f < features; ++f) to[f] = x[f] - packed.center[f];
      const T square = square_of(to, features);
      const bool near = square <= packed.reach;
      block.starts[r] = near ? T(-0.5) * packed.scale * square : T(kInfinity);
      if (near) {
        for (std::int64_t f = 0; f < features; ++f) to[f] *= scale;
      }
    } else {
      for (std::int64_t f = 0; f < features; ++f) to[f] = x[f] * scale;
    }
  }
}

// Panels of a chunk, such that every tile but the last of all is full.
template <class T>
std::int64_t chunk_of(const Packed<T>& packed) {
  constexpr std::int64_t unit = 24;
  const std::int64_t units = kChunk / (unit * stride_of(packed));
  return units > 0 ? unit * units : unit / 2;
}

template <int F, class T>
void all_rows(const Step& step, std::int64_t rows, const Packed<T>& packed, const Block<T>& block) {
  const auto* x = data_of<const T>(step.inputs[0]);
  auto* y = data_of<T>(step.outputs[0]);
  const std::int64_t coefs = packed.coefs, width = packed.groups * coefs, chunk = chunk_of(packed);
  for (std::int64_t at = 0; at < rows; at += kRows, x += kRows * packed.features, y += kRows * width) {
    const std::int64_t n = rows - at < kRows ? rows - at : kRows;
    fill_block<F>(block, n, x, packed);
    const T* panel = packed.panels;
    for (std::int64_t g = 0; g < packed.groups; ++g) {
      std::memset(block.sums, 0, static_cast<std::size_t>(n * coefs * kL<T>) * sizeof(T));
      for (std::int64_t left = panels_of<T>(step.params[kFixed + g].i); left > 0;) {
        const std::int64_t count = left < chunk ? left : chunk;
        block_against<F>(block, n, panel, count, packed);
        panel += count * stride_of(packed);
        left -= count;
      }
      for (std::int64_t i = 0; i < n * coefs; ++i)
        y[i / coefs * width + g * coefs + i % coefs] = sum(load(block.sums + i * kL<T>));
    }
  }
}

template <class T>
void run_in(const Step& step, std::int64_t rows, const Context& context) {
  const auto& packed = *static_cast<const Packed<T>*>(context.state);
  auto* scratch = static_cast<T*>(context.scratch);
  const Block<T> block{scratch + kRows * (1 + packed.coefs * kL<T>), scratch + kRows * packed.coefs * kL<T>, scratch};
  switch (step.params[0].i) {
    case kPoly:
      if (packed.degree == 3) return all_rows<kCube>(step, rows, packed, block);
      return all_rows<kPower>(step, rows, packed, block);
    case kRbf:
      if constexpr (std::is_same_v<T, double>) all_rows<kGauss>(step, rows, packed, block);
      return;
    default: return all_rows<kTanh>(step, rows, packed, block);
  }
}

void run_sums(const Step& step, std::int64_t rows, const Context& context) {
  with_float(step.inputs[0].dtype, [&]<class T>(Type<T>) { run_in<T>(step, rows, context); });
}

std::size_t scratch_sums(const Step& step, std::int64_t) {
  const std::int64_t lanes = kVectorBytes / static_cast<std::int64_t>(item_size(step.inputs[0].dtype));
  const std::int64_t numbers = lanes * step.inputs[2].dims[0] + 1 + step.inputs[0].width;
  return static_cast<std::size_t>(kRows * numbers) * item_size(step.inputs[0].dtype);
}

double cost_sums(const Step& step) {
  const auto vectors = static_cast<double>(step.inputs[1].dims[0]);
  const auto work = static_cast<double>(step.inputs[1].dims[1] + step.inputs[2].dims[0]) + 15;
  const double lanes = kVectorBytes / static_cast<double>(item_size(step.inputs[0].dtype));
  return 10 + vectors * work / (6 * lanes);
}

SARDONYX_KERNEL("KernelSums", {.check = check_sums,
                               .run = run_sums,
                               .scratch = scratch_sums,
                               .prepare = prepare_sums,
                               .release = release_memory,
                               .cost = cost_sums});

}  // namespace
}  // namespace sardonyx
