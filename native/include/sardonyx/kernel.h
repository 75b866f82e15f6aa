// A kernel: a serial function over one block of rows, registered where it is defined.
//
// A kernel file is compiled once per instruction set (see native/CMakeLists.txt), each time with another value of
// SARDONYX_ISA; the registry hands out the best variant this machine runs. Three rules follow:
//   - everything in a kernel file is `static` or in an anonymous namespace: a function the linker may merge with the
//     same function of another variant would smuggle AVX-512 code onto a machine without it (scripts/build checks);
//   - only C headers, <cmath>, <type_traits> and this project's headers are included: no containers, no std::string;
//   - errors leave through fail(), which is compiled once.
//
// Life of a step:   check (throws on an illegal step) -> prepare (optional, once) -> run (often, any thread) -> release
#pragma once

#include "sardonyx/tensor.h"

namespace sardonyx {

// Numbers of a step, as the file holds them. The kernel knows which it asked for.
union Param {
  std::int64_t i;
  double f;
};

enum class ParamKind : std::uint8_t { integer = 0, real = 1 };

// One step of a program: typed, shaped, with constants already in place. Row tensors have data == nullptr until run.
struct Step {
  const Tensor* inputs;
  const Tensor* outputs;
  const Param* params;
  const ParamKind* param_kinds;
  std::int32_t n_inputs;
  std::int32_t n_outputs;
  std::int32_t n_params;
};

// For check(): the parameter, or fail() when it is missing or of the other kind. (run() may read step.params directly.)
std::int64_t integer_param(const Step& step, int index);
double real_param(const Step& step, int index);

class TextPages;

// What a running step may use beside its tensors.
struct Context {
  void* scratch;               // Kernel::scratch(step, rows) bytes, 64-byte aligned, contents undefined
  const void* state;           // what prepare() returned, or nullptr
  TextPages* texts = nullptr;  // where make_text() takes from (sardonyx/made_text.h)
};

// Some of the pieces that the work of one row falls into, for threads to share where there are few rows.
struct Pieces {
  std::int64_t first, last;
  bool again;  // the thread has done others of this row just before, and the scratch is as it left it
};

struct Kernel {
  // Throws (through fail) unless types, shapes, params and the *contents* of constants (indices!) are all in range:
  // a file is hostile until this returned. Everything run() relies on is established here.
  void (*check)(const Step& step);
  // Computes `rows` rows (at least one). Must not allocate, lock, or throw for legal data; may call fail() for values
  // the step refuses. Tensors are aligned to their item size only; a row's result must not depend on its neighbours,
  // unless whole_batch says so.
  void (*run)(const Step& step, std::int64_t rows, const Context& context);
  // Bytes of scratch for a block of `rows`, never fewer for more rows; nullptr means none.
  std::size_t (*scratch)(const Step& step, std::int64_t rows) = nullptr;
  // Derived read-only state (a hash table ...), built once at load; nullptr means none.
  void* (*prepare)(const Step& step) = nullptr;
  void (*release)(void* state) = nullptr;
  // Nanoseconds one row takes, roughly: decides when threads are worth waking. nullptr: guessed from the widths.
  double (*cost)(const Step& step) = nullptr;
  // Into how many pieces a row's work falls that do not depend on each other, at least 1; and runs some of them, on one
  // row, from any thread, with a scratch of its own. Together they are what run() does, bit for bit. nullptr: one.
  std::int64_t (*pieces)(const Step& step) = nullptr;
  void (*run_pieces)(const Step& step, const Context& context, const Pieces& pieces) = nullptr;
  // outputs[0] holds the same values as inputs[0], so the executor may make it the very same memory when type and width
  // agree (even when it is the caller's). run() must not write to outputs[0].data when it equals inputs[0].data.
  bool view = false;
  // run() copes with outputs[0] being the memory of inputs[0] (each element is read before it is written). The executor
  // does that when both have the same type and width (so inputs[0] is not broadcast) and nobody else reads the input.
  bool in_place = false;
  // What a row gives depends on all rows of the call (when to stop iterating ...): legal only in a program whose block
  // is the whole batch.
  bool whole_batch = false;
  // check() looks at Tensor::sparse of every input and output and establishes which of them may be sparse. The loader
  // refuses a sparse tensor in a step of any other kernel. (A kernel may allocate through reserve_entries() only.)
  bool sparse = false;
  // run() copes with sparse inputs whose columns are in no order, or come twice in a row, and refuses those that are
  // out of range itself (refuse_column in kernels/sparse/rows.h).
  bool any_entries = false;
  // Element i of the output depends on element i of the inputs alone, and no scratch or state is needed. The runtime
  // then runs such a step on the entries of sparse inputs, as if they were rows of width 1: check() and run() see dense
  // tensors. Inputs beside the sparse ones are constants of one element. Whoever writes the program answers for
  // zeros becoming zeros.
  bool by_element = false;
  // A sparse outputs[0] has the very indptr and indices of inputs[0].
  bool keeps_entries = false;
  // It casts floats of 16 bits, or moves elements whatever they are. Other kernels tell numbers apart by dtypes that
  // are larger, and would read beyond these: the loader refuses them such tensors.
  bool halves = false;
};

// Instruction-set levels, in ascending order of preference on a machine that runs them.
enum class Isa : int { generic = 0, avx2 = 1, avx512 = 2, neon = 3 };

// Refuses, with a message that says what was given and what is accepted. The runtime puts the step's label before it.
[[noreturn]] void fail(const char* format, ...) __attribute__((format(printf, 1, 2)));

void register_kernel(const char* name, Isa isa, const Kernel& kernel);

struct KernelRegistration {
  // Defined in the runtime: an inline one would be the very thing the first rule above forbids.
  KernelRegistration(const char* name, const Kernel& kernel, int isa);
};

}  // namespace sardonyx

#ifndef SARDONYX_ISA
#define SARDONYX_ISA 0
#endif

#define SARDONYX_CONCAT_(a, b) a##b
#define SARDONYX_CONCAT(a, b) SARDONYX_CONCAT_(a, b)

// SARDONYX_KERNEL("Softmax", {check, run});
//
// The Kernel is a constant of the file, not built while the module loads: that would run instructions of a variant
// which this machine may not have.
#define SARDONYX_KERNEL(name, ...) SARDONYX_KERNEL_(__COUNTER__, name, __VA_ARGS__)
#define SARDONYX_KERNEL_(number, name, ...)                                            \
  static constexpr ::sardonyx::Kernel SARDONYX_CONCAT(kernel_, number) __VA_ARGS__;    \
  static const ::sardonyx::KernelRegistration SARDONYX_CONCAT(registration_, number) { \
    name, SARDONYX_CONCAT(kernel_, number), SARDONYX_ISA                               \
  }
