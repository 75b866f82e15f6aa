// A Program in memory: the parsed and checked form (loader.cpp) of the .sdx file (sdx.h). Numeric constants stay where
// the file holds them.
//
// It does not run itself: see executor.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "runtime/registry.h"
#include "sardonyx/kernel.h"

namespace sardonyx {

enum class Role : std::uint8_t { row = 0, constant = 1 };

struct Slot {
  std::string name;
  Role role;
  Tensor tensor;              // data is set for constants only
  std::size_t row_bytes;      // width * item size, of a dense slot
  std::int32_t entries = -1;  // of a sparse slot: that whose indptr and indices it has, itself or an earlier one
};

// A step as loaded. `step` points into the vectors beside it.
struct LoadedStep {
  std::string label;
  const KernelEntry* entry;
  std::vector<std::int32_t> inputs, outputs;  // slot numbers
  std::vector<Tensor> tensors;                // inputs, then outputs
  std::vector<Param> params;
  std::vector<ParamKind> param_kinds;
  Step step;
  void* state = nullptr;
  bool by_element = false;  // it has sparse rows, and runs on their entries
};

// The step as its kernel sees it when it runs on entries: every sparse tensor a dense one of width 1.
constexpr int kMaxByElement = 8;  // inputs and outputs
Step by_element_step(const Step& step, Tensor* tensors);

class Program {
 public:
  // Checks every field of `file` as hostile; throws Error. `owner` keeps the bytes alive; bytes that are not aligned to
  // 8 are copied. Kernels are the best variants not above `at_most`.
  static std::unique_ptr<Program> load(std::span<const std::byte> file, std::shared_ptr<const void> owner, Isa at_most);
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  const std::vector<Slot>& slots() const { return slots_; }
  const std::vector<LoadedStep>& steps() const { return steps_; }
  const std::vector<std::int32_t>& inputs() const { return inputs_; }
  const std::vector<std::int32_t>& outputs() const { return outputs_; }
  const std::vector<std::pair<std::string, std::string>>& metadata() const { return metadata_; }
  std::int64_t block_rows() const { return block_rows_; }  // 0: all rows of a call
  std::span<const std::byte> file() const { return file_; }
  Isa isa() const { return isa_; }

 private:
  friend class Loader;
  Program() = default;

  std::span<const std::byte> file_;
  std::shared_ptr<const void> owner_;
  std::vector<std::unique_ptr<Text[]>> texts_;  // what text constants point to
  std::vector<Slot> slots_;
  std::vector<LoadedStep> steps_;
  std::vector<std::int32_t> inputs_, outputs_;
  std::vector<std::pair<std::string, std::string>> metadata_;
  std::int64_t block_rows_ = 0;
  Isa isa_ = Isa::generic;
};

}  // namespace sardonyx
