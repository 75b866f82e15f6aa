// Einsum: y[labels of the output] = the sum, over all other labels, of the products of the operands' elements.
//
// Params [labels, kept, sizes of labels ..., strides of operand 0 ..., strides of operand 1 ...]: the first `kept`
// labels are the output's, in its order; an operand without a label steps 0 elements along it, and one that has a label
// twice steps along its diagonal. Operands are rows or constants.
//
//   ni,ij->nj   (n is the row)     labels j i    kept 1    x 0 1    w 1 n_j
#include "kernels/check.h"

namespace sardonyx {
namespace {

constexpr std::int64_t kMostLabels = 16;
constexpr int kMostOperands = 8;
constexpr std::int64_t kMostWork = std::int64_t{1} << 36;

void check_operand(const Step& step, int operand, std::int64_t labels) {
  const std::int64_t width = step.inputs[operand].width;
  std::int64_t last = 0, step_along = 0;
  bool empty = false;
  for (std::int64_t l = 0; l < labels; ++l) {
    const std::int64_t size = step.params[2 + l].i,
                       stride = integer_param(step, static_cast<int>(2 + labels * (1 + operand) + l));
    require(in_range(stride, 0, kLargest), "Einsum", "a stride is out of range");
    empty = empty || size == 0;
    if (size == 0) continue;
    require(!__builtin_mul_overflow(size - 1, stride, &step_along) && !__builtin_add_overflow(last, step_along, &last),
            "Einsum", "an operand is too large");
  }
  require(empty || last < width, "Einsum", "a label leaves its operand");
}

void check_einsum(const Step& step) {
  constexpr const char* name = "Einsum";
  require(in_range(step.n_inputs, 1, kMostOperands) && step.n_outputs == 1 && step.n_params >= 2, name,
          "has another number of operands");
  require_row_output(step, name);
  const std::int64_t labels = integer_param(step, 0), kept = integer_param(step, 1);
  require(in_range(labels, 0, kMostLabels) && in_range(kept, 0, labels), name, "has too many labels");
  require(step.n_params == 2 + labels * (1 + step.n_inputs), name, "needs a size and strides for each label");
  std::int64_t work = 1, width = 1;
  for (std::int64_t l = 0; l < labels; ++l) {
    const std::int64_t size = integer_param(step, static_cast<int>(2 + l));
    require(in_range(size, 0, kMostWork) && !__builtin_mul_overflow(work, size, &work) && work <= kMostWork, name,
            "is too much work");
    if (l < kept) width = work;
  }
  require(width == step.outputs[0].width, name, "output of the wrong size");
  const DType t = step.outputs[0].dtype;
  require(is_number(t), name, "needs numbers");
  for (int i = 0; i < step.n_inputs; ++i) {
    require(step.inputs[i].dtype == t, name, "operands of different types");
    check_operand(step, i, labels);
  }
}

// Where the operands stand, one label after another turned on like the wheels of a counter.
struct Wheels {
  const Param* sizes;
  const Param* strides;  // labels x operands, by operand
  std::int64_t labels;
  int operands;
  std::int64_t at[kMostLabels];
  std::int64_t offset[kMostOperands];

  std::int64_t stride(int operand, std::int64_t label) const { return strides[operand * labels + label].i; }

  // Turns the wheels of labels [first, end); false once all stand at zero again.
  bool turn(std::int64_t first, std::int64_t end) {
    for (std::int64_t l = end - 1; l >= first; --l) {
      const bool carry = ++at[l] == sizes[l].i;
      for (int i = 0; i < operands; ++i) offset[i] += carry ? -(sizes[l].i - 1) * stride(i, l) : stride(i, l);
      if (!carry) return true;
      at[l] = 0;
    }
    return false;
  }
};

template <class T>
inline T product(const T* const* x, const Wheels& wheels) {
  T value = x[0][wheels.offset[0]];
  for (int i = 1; i < wheels.operands; ++i) value = static_cast<T>(value * x[i][wheels.offset[i]]);
  return value;
}

template <class T>
inline void run_einsum_as(const Step& step, std::int64_t rows) {
  const std::int64_t labels = step.params[0].i, kept = step.params[1].i, width = step.outputs[0].width;
  bool empty = false;
  for (std::int64_t l = kept; l < labels; ++l) empty = empty || step.params[2 + l].i == 0;
  T* y = data_of<T>(step.outputs[0]);
  for (std::int64_t r = 0; r < rows; ++r) {
    const T* x[kMostOperands];
    for (int i = 0; i < step.n_inputs; ++i) x[i] = data_of<const T>(step.inputs[i]) + r * row_stride(step.inputs[i]);
    Wheels wheels{step.params + 2, step.params + 2 + labels, labels, step.n_inputs, {}, {}};
    for (std::int64_t j = 0; j < width; ++j, ++y) {
      T total = 0;
      do {
        if (!empty) total = static_cast<T>(total + product(x, wheels));
      } while (!empty && wheels.turn(kept, labels));
      *y = total;
      wheels.turn(0, kept);
    }
  }
}

// Signed integers wrap: they are added and multiplied as unsigned ones, of at least the size of int.
void run_einsum(const Step& step, std::int64_t rows, const Context&) {
  with_number(step.outputs[0].dtype, [&]<class T>(Type<T>) {
    if constexpr (std::is_integral_v<T>) {
      run_einsum_as<std::make_unsigned_t<T>>(step, rows);
    } else {
      run_einsum_as<T>(step, rows);
    }
  });
}

double cost_einsum(const Step& step) {
  double work = 1;
  for (std::int64_t l = 0; l < step.params[0].i; ++l) work *= static_cast<double>(step.params[2 + l].i);
  return 2 * work;
}
SARDONYX_KERNEL("Einsum", {.check = check_einsum, .run = run_einsum, .cost = cost_einsum});

}  // namespace
}  // namespace sardonyx
